import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { connectRedis } from '../../src/redis/client.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { freePort } from '../helpers/free-ports.ts';
import { launchProcess, startProcess, type TestProcess } from '../helpers/process.ts';
import { startRedis } from '../helpers/redis.ts';
import { silentLogger } from '../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const portOf = (server: Server) => String((server.address() as AddressInfo).port);

describe('The program', () => {
    const running: TestProcess[] = [];

    const start = async (environment: Record<string, string>) => {
        const program = await startProcess(environment);
        running.push(program);
        return program;
    };

    const login = async ({ url }: TestProcess, password = 'a password for the platform') => {
        const response = await fetch(`${url}/api/login`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ email: 'admin@platform.local', password }),
        });
        return response.status;
    };

    /** Starts the program where it must not go on; gives its exit code and what it says about it. */
    const refusal = async (environment: Record<string, string>) => {
        const program = launchProcess(environment);
        const { code } = await program.exit;
        return { code, ...program.output() };
    };

    afterEach(() => Promise.all(running.splice(0).map((program) => program.stop('SIGKILL'))));

    it('listens, answers, and ends with code 0 when it is told to stop', async () => {
        const DATA_DIR = temporaryFolder();
        const program = await start({ DATA_DIR });
        expect(program.url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
        expect(await login(program)).to.equal(200);
        expect(await program.stop('SIGTERM')).to.equal({ code: 0 });
        const { stdout, stderr } = program.output();
        // What others log in between depends on how busy the machine is.
        const messages = stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Record<string, unknown>)
            .filter(({ module }) => module === 'main')
            .map(({ msg }) => msg);
        expect(messages).to.equal(['working', `listening on ${program.url}`, 'stopping', 'stopped']);
        expect(stderr).to.equal('');
        expect(existsSync(join(DATA_DIR, 'lock'))).to.be.false();
        expect(existsSync(join(DATA_DIR, 'redis.sock'))).to.be.false();
    });

    it('ends with code 0 by Ctrl-C as well', async () => {
        const program = await start({});
        expect(await program.stop('SIGINT')).to.equal({ code: 0 });
    });

    it('starts again in the same directory, with what it knew and secrets of before', async () => {
        const DATA_DIR = temporaryFolder();
        const first = await start({ DATA_DIR });
        await first.stop();
        const second = await start({ DATA_DIR, PLATFORM_ADMIN_PASSWORD: 'another password for it' });
        expect(await login(second)).to.equal(200);
        expect(await login(second, 'another password for it')).to.equal(401);
        expect(await second.stop()).to.equal({ code: 0 });
    });

    it('starts again in the same directory after it was killed', async () => {
        const DATA_DIR = temporaryFolder();
        const first = await start({ DATA_DIR });
        expect(await first.stop('SIGKILL')).to.equal({ code: null });
        const second = await start({ DATA_DIR });
        expect(await login(second)).to.equal(200);
        expect(await second.stop()).to.equal({ code: 0 });
    });

    it('does not mind to be told twice to stop, and finishes what it has begun', async () => {
        const DATA_DIR = temporaryFolder();
        const program = await start({ DATA_DIR });
        // A request that is still being sent keeps the server from closing at once.
        const { port } = new URL(program.url);
        const socket = connect(Number(port), '127.0.0.1');
        const body = JSON.stringify({ email: 'admin@platform.local', password: 'a password for the platform' });
        const head = [
            'POST /api/login HTTP/1.1',
            'Host: x',
            'Content-Type: application/json',
            `Content-Length: ${body.length}`,
        ];
        socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));

        process.kill(program.pid, 'SIGTERM');
        while (!program.output().stdout.includes('"stopping"')) await new Promise((resolve) => setTimeout(resolve, 5));
        process.kill(program.pid, 'SIGTERM');
        process.kill(program.pid, 'SIGINT');
        socket.write(body.slice(5));
        const [answer] = (await once(socket, 'data')) as [Buffer];
        expect(answer.toString()).to.startWith('HTTP/1.1 200');
        expect(await program.exit).to.equal({ code: 0 });
        expect(existsSync(join(DATA_DIR, 'redis.sock'))).to.be.false();
    });

    it('does not begin what it was told to stop before it listened', async () => {
        const DATA_DIR = temporaryFolder();
        const program = launchProcess({ DATA_DIR });
        running.push(program);
        while (!existsSync(join(DATA_DIR, 'redis.sock'))) await new Promise((resolve) => setTimeout(resolve, 2));
        expect(await program.stop('SIGTERM')).to.equal({ code: 0 });
        expect(existsSync(join(DATA_DIR, 'lock'))).to.be.false();
        expect(existsSync(join(DATA_DIR, 'redis.sock'))).to.be.false();
    });

    it('says each fault of its settings on a line, and ends with code 1', async () => {
        const { code, stdout, stderr } = await refusal({ PORT: 'x', JWT_KEY: 'y', DATA_DIR: temporaryFolder() });
        expect(code).to.equal(1);
        expect(stdout).to.equal('');
        expect(stderr.trim().split('\n')).to.equal([
            'The start failed: Error: PORT must be a number',
            'JWT_KEY is not a setting of this program; see the README for those that are',
        ]);
    });

    it('says what keeps it from starting, in a sentence and without a stack, and ends with code 1', async () => {
        const taken = createServer().listen(0, '127.0.0.1');
        await once(taken, 'listening');
        const PORT = portOf(taken);
        const DATA_DIR = temporaryFolder();
        const { code, stderr } = await refusal({ PORT, DATA_DIR });
        taken.close();
        expect(code).to.equal(1);
        expect(stderr).to.equal(`The start failed: listen EADDRINUSE: address already in use 127.0.0.1:${PORT}\n`);
        expect(existsSync(join(DATA_DIR, 'lock'))).to.be.false();
        expect(existsSync(join(DATA_DIR, 'redis.sock'))).to.be.false();
    });

    it('refuses a Redis that cannot be reached', async () => {
        const { code, stderr } = await refusal({ REDIS_URL: 'redis://127.0.0.1:1', DATA_DIR: temporaryFolder() });
        expect(code).to.equal(1);
        expect(stderr).to.startWith('The start failed: ');
    });

    it('takes a Redis of its own, leaves it running, and refuses one that evicts', async () => {
        const PORT = String(await freePort());
        const redis = await startRedis(['--port', PORT, '--bind', '127.0.0.1']);
        const environment = { REDIS_URL: `redis://127.0.0.1:${PORT}`, DATA_DIR: temporaryFolder() };
        try {
            const program = await start(environment);
            expect(await login(program)).to.equal(200);
            expect(await program.stop()).to.equal({ code: 0 });
            expect(existsSync(join(environment.DATA_DIR, 'redis.sock'))).to.be.false();

            const client = await connectRedis({ path: redis.path }, silentLogger);
            await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
            const { code, stderr } = await refusal(environment);
            expect(code).to.equal(1);
            expect(stderr).to.include('Redis evicts keys when its memory is full (maxmemory-policy allkeys-lru)');
            const lax = await start({ ...environment, REDIS_ALLOW_EVICTION: 'true' });
            expect(await lax.stop()).to.equal({ code: 0 });
            client.disconnect();
        } finally {
            await redis.stop();
        }
    });

    it('writes coloured lines where that is wanted', async () => {
        const program = await start({ LOG_PRETTY: 'true' });
        expect(program.output().stdout).to.match(/INFO.*listening on/);
        expect(program.output().stdout).to.not.include('{"level"');
        expect(await program.stop()).to.equal({ code: 0 });
    });
});
