import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import pLimit from 'p-limit';

import { packageRoot } from '../../../src/package-root.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const moduleAt = (path: string): string => pathToFileURL(join(packageRoot(), 'dist/src/telemetry', path)).href;
const BEGIN = `
    import { pbkdf2 } from 'node:crypto';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { createLogger, standardOutput } from '${moduleAt('logger.js')}';
    import { endOnCrash } from '${moduleAt('crash.js')}';
    import { noReports } from '${moduleAt('error-reports.js')}';
    const output = standardOutput(false);
    const logger = createLogger({ level: 'info', pretty: false, destination: output.destination });
`;

/** Runs a program; gives what it wrote, and its exit code. */
async function runScript(script: string): Promise<{ stdout: string; stderr: string; code: unknown }> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', BEGIN + script], {
        // One thread writes in the background, and has something else to do.
        env: { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, code };
}

const messagesOf = (stdout: string): unknown[] =>
    stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { msg: string }).msg);

describe('standard output', () => {
    it('has every line in its order when it is ended, twenty times of twenty', async () => {
        const script = `
            pbkdf2('a', 'b', 100_000, 64, 'sha512', () => undefined);
            for (const word of ['first', 'second', 'stopped']) logger.info(word);
            await output.end();
            process.exit(0);
        `;
        const limit = pLimit(2);
        const runs = await Promise.all(Array.from({ length: 20 }, () => limit(() => runScript(script))));
        for (const { stdout } of runs) expect(messagesOf(stdout)).to.equal(['first', 'second', 'stopped']);
    });

    it('is ended once, takes late lines without a word, and does not wait for a reader that has gone', async () => {
        const { code, stderr } = await runScript(`
            process.stdout.destroy();
            logger.info('somebody reads this');
            await sleep(20);
            await output.end();
            logger.info('nobody reads this');
            await output.end();
            process.exit(7);
        `);
        expect([code, stderr]).to.equal([7, '']);
    });
});

describe('a crash', () => {
    it('is logged without its contents, and ends the process with code 1', async () => {
        const failing = `Object.assign(new Error('WRONGTYPE'), { command: { name: 'set', args: ['k', 'hunter2'] } })`;
        for (const how of [`setImmediate(() => { throw ${failing}; });`, `void Promise.reject(${failing});`]) {
            const { stdout, stderr, code } = await runScript(`
                endOnCrash(logger, noReports, output);
                ${how}
                setInterval(() => undefined, 1_000);
            `);
            const [line] = stdout.trim().split('\n');
            expect(JSON.parse(line ?? '')).to.include({ level: 60, module: 'main', msg: 'crashed' });
            expect([code, stderr]).to.equal([1, '']);
            expect(stdout).to.include('WRONGTYPE').and.not.to.include('hunter2');
        }
    });
});
