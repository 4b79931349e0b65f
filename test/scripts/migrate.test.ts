import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { schemaKey } from '../helpers/migrations.ts';
import { launchProcess, startProcess } from '../helpers/process.ts';
import { connectPatiently } from '../helpers/redis.ts';
import { silentLogger } from '../helpers/store.ts';

import type { Redis } from 'ioredis';

export const lab = Lab.script();
const { describe, it } = lab;

interface Ended {
    code: number;
    stdout: string;
    stderr: string;
}

/** Runs a script with that setting and no others. */
function run(DATA_DIR: string, name: string, ...options: string[]): Promise<Ended> {
    const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
    const env = { PATH, HOME, DATA_DIR, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) };
    const args = [join(packageRoot(), `dist/scripts/${name}.js`), ...options];
    return new Promise((resolve) => {
        execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
            resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
        );
    });
}

const stateOf = (redis: Redis) => redis.hgetall(schemaKey);

describe('migrations of the program', { timeout: 120_000 }, () => {
    it('are told and run by a command, and at every start', async () => {
        const DATA_DIR = temporaryFolder();
        const before = await run(DATA_DIR, 'migrate', '--status');
        expect(before).to.include({ code: 0, stderr: '' });
        expect(before.stdout).to.match(
            /^This program, version [\d.]+, has schema 1\.\nThe store has none noted: .*\n$/,
        );

        const migrated = await run(DATA_DIR, 'migrate');
        expect(migrated).to.include({ code: 0, stderr: '' });
        expect(migrated.stdout).to.include('"schema":1,"msg":"The store is up to date"');

        const { stdout } = await run(DATA_DIR, 'migrate', '--status');
        expect(stdout).to.include(
            'The store is at schema 1; programs of schema 1 and newer can work with it.\n  1 new: 2',
        );
        expect(await run(DATA_DIR, 'migrate', '--oops')).to.include({ code: 1, stdout: '' });
    });

    it('end the start, and commands, where the store is too new, and let them where it may be used', async () => {
        const DATA_DIR = temporaryFolder();
        const first = await startProcess({ DATA_DIR });
        const redis = await connectPatiently({ path: join(DATA_DIR, 'redis.sock') }, silentLogger);
        const schema = await stateOf(redis);
        expect(schema).to.include({ number: '1', oldest: '1' });
        const newer = { number: '7', oldest: '5', program: '9.0.0' };
        await redis.hset(schemaKey, newer);

        const refusal =
            `The store is at schema 7, brought there by version 9.0.0, and programs older than schema 5 cannot work ` +
            `with it; this one, version ${schema.program}, has schema 1: run version 9.0.0 or a newer one.\n`;
        expect((await run(DATA_DIR, 'backup', '--all')).stderr).to.equal(`The backup failed: ${refusal}`);
        expect((await run(DATA_DIR, 'vault-rotate')).stderr).to.equal(`The rotation failed: ${refusal}`);
        expect((await run(DATA_DIR, 'migrate')).stderr).to.equal(`The migration failed: ${refusal}`);
        redis.disconnect();
        expect(await first.stop()).to.equal({ code: 0 });

        const refused = launchProcess({ DATA_DIR });
        expect(await refused.exit).to.equal({ code: 1 });
        expect(refused.output().stderr).to.equal(`The start failed: ${refusal}`);
        expect(refused.output().stdout).to.not.include('listening on');
    });

    it('let a start go on where newer programs left what it can work with', async () => {
        const DATA_DIR = temporaryFolder();
        const first = await startProcess({ DATA_DIR });
        const redis = await connectPatiently({ path: join(DATA_DIR, 'redis.sock') }, silentLogger);
        await redis.hset(schemaKey, { number: '2', program: '9.0.0' });
        redis.disconnect();
        expect(await first.stop()).to.equal({ code: 0 });
        const second = await startProcess({ DATA_DIR });
        expect(second.output().stdout).to.include('The store is newer, and this program may use it');
        expect(await second.stop()).to.equal({ code: 0 });
    });
});
