import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { freePort } from '../helpers/free-ports.ts';
import { startRedis } from '../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const PASSWORD = 'the-password-of-redis';
const urlAt = (port: number): string => `redis://waiter:${PASSWORD}@127.0.0.1:${port}`;
const asking = (port: number, password: string): string[] => [
    '--port',
    String(port),
    '--user',
    'waiter',
    'on',
    `>${password}`,
    '~*',
    '&*',
    '+@all',
];

/** Runs the script with those settings and no others; it waits for so many seconds. */
function waiting(environment: Record<string, string>, seconds: number) {
    const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
    const inherited = { PATH, HOME, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) };
    const script = join(packageRoot(), 'dist/scripts/wait-for-redis.js');
    const child = spawn(process.execPath, [script, String(seconds)], {
        env: { ...inherited, DATA_DIR: temporaryFolder(), LOG_PRETTY: 'false', ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, 'close').then(([code]) => code as number);
    return { ended, output: () => output };
}

describe('wait-for-redis', () => {
    it('ends when a Redis that comes later answers', async () => {
        const port = await freePort();
        const script = waiting({ REDIS_URL: urlAt(port), ROLE: 'api' }, 60);
        while (!script.output().includes('ECONNREFUSED')) await sleep(20);
        const redis = await startRedis(asking(port, PASSWORD));
        expect(await script.ended).to.equal(0);
        expect(script.output()).to.contain('Redis answers').and.to.contain(`127.0.0.1:${port}`);
        expect(script.output()).not.to.contain(PASSWORD);
        await redis.stop();
    });

    it('gives up after a while, and says why without the password', async () => {
        const port = await freePort();
        const redis = await startRedis(asking(port, 'another one'));
        const script = waiting({ REDIS_URL: urlAt(port), ROLE: 'worker' }, 1);
        expect(await script.ended).to.equal(1);
        expect(script.output()).to.contain('WRONGPASS').and.to.contain('Redis did not answer in time');
        expect(script.output()).not.to.contain(PASSWORD);
        await redis.stop();
    });

    it('gives up when no sentinel and no node of a cluster answers', async () => {
        const [one, two] = [await freePort(), await freePort()];
        const servers = `127.0.0.1:${one},127.0.0.1:${two}`;
        for (const name of ['REDIS_SENTINELS', 'REDIS_CLUSTER']) {
            const script = waiting({ [name]: servers, REDIS_PASSWORD: PASSWORD, ROLE: 'api' }, 1);
            expect(await script.ended, name).to.equal(1);
            expect(script.output(), name).to.contain('Redis did not answer in time').and.to.contain(`127.0.0.1:${two}`);
            expect(script.output(), name).not.to.contain(PASSWORD);
        }
    });

    it('has nothing to wait for where the program brings its own', async () => {
        const script = waiting({}, 1);
        expect(await script.ended).to.equal(0);
        expect(script.output()).to.equal('');
    });

    it('tells what is wrong with the settings', async () => {
        const script = waiting({ ROLE: 'api' }, 1);
        expect(await script.ended).to.equal(1);
        expect(script.output()).to.contain('ROLE must be all without REDIS_URL or');
    });
});
