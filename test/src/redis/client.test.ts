import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { checkEviction, connectRedis, isStoreUnavailable, type RedisClient } from '../../../src/redis/client.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const NOBODY = { host: '127.0.0.1', port: 1 };

/** What a promise is refused with; null when it is kept. */
const refusal = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
        () => null,
        (error: unknown) => error,
    );

/** Starts redis-server again where another one was. */
async function startAgain(path: string): Promise<() => Promise<void>> {
    const place = ['--port', '0', '--unixsocket', path, '--dir', dirname(path), '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', place, { stdio: 'ignore' });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    await once(child, 'spawn');
    return async () => {
        process.off('exit', kill);
        const ended = once(child, 'exit');
        kill();
        await ended;
    };
}

describe('connectRedis', () => {
    it('fails where nobody listens, and does not try on', async () => {
        await expect(connectRedis({ path: '/nowhere/redis.sock' }, silentLogger)).to.reject();
        await expect(connectRedis({ url: 'redis://127.0.0.1:1' }, silentLogger)).to.reject();
        await expect(connectRedis({ sentinels: [NOBODY], name: 'mymaster' }, silentLogger)).to.reject(
            /^All sentinels are unreachable and retry is disabled/,
        );
    });

    it('asks the next sentinel where one takes connections and does not answer', async () => {
        const silent = createServer();
        await once(silent.listen(0, '127.0.0.1'), 'listening');
        const { port } = silent.address() as AddressInfo;
        const sentinels = [{ host: '127.0.0.1', port }, NOBODY];
        const asked: Socket[] = [];
        silent.on('connection', (socket) => asked.push(socket));
        await expect(connectRedis({ sentinels, name: 'mymaster' }, silentLogger)).to.reject(/^All sentinels/);
        expect(asked.length).to.be.above(1);
        for (const socket of asked) socket.destroy();
        silent.close();
    });

    it('waits for a Redis that is slow with its first answer, and for no later one', async () => {
        const server = await startRedis();
        process.kill(server.pid, 'SIGSTOP');
        const connecting = connectRedis({ path: server.path }, silentLogger);
        await sleep(2_000);
        process.kill(server.pid, 'SIGCONT');
        const redis = await connecting;
        process.kill(server.pid, 'SIGSTOP');
        const error = await refusal(redis.get('k'));
        expect(error).to.be.an.error('Command timed out');
        redis.disconnect();
        await server.stop();
    });

    it('fails at once while Redis is away, and heals by itself when it is back', async () => {
        const lines: string[] = [];
        const logger = createLogger({
            level: 'info',
            pretty: false,
            destination: { write: (line) => void lines.push(line) },
        });
        const first = await startRedis();
        const redis = await connectRedis({ path: first.path }, logger);
        await redis.set('k', 'v');

        process.kill(first.pid, 'SIGKILL');
        const began = Date.now();
        const inFlight = await Promise.all(Array.from({ length: 50 }, () => refusal(redis.get('k'))));
        const refused = inFlight.filter((error) => error !== null);
        expect(refused.filter((error) => !isStoreUnavailable(error))).to.equal([]);
        for (let tries = 0; tries < 5; tries++) {
            expect(isStoreUnavailable(await refusal(redis.get('k')))).to.be.true();
            expect(isStoreUnavailable(await refusal(redis.evalsha('f'.repeat(40), 0)))).to.be.true();
        }
        // Ten that were waited for would take 15 seconds.
        expect(Date.now() - began).to.be.below(10_000);

        const stopSecond = await startAgain(first.path);
        while ((await refusal(redis.ping())) !== null) await new Promise((resolve) => setTimeout(resolve, 20));
        // What was refused has not been kept for later, and what is in memory only is gone.
        expect(await redis.get('k')).to.be.null();
        expect(lines.some((line) => line.includes('Redis connection failed'))).to.be.true();
        expect(lines.some((line) => line.includes('Redis is back'))).to.be.true();

        redis.disconnect();
        await stopSecond();
        await first.stop();
    });

    it('does not do later what was refused while Redis was away', async () => {
        const first = await startRedis();
        const redis = await connectRedis({ path: first.path }, silentLogger);
        process.kill(first.pid, 'SIGKILL');
        while ((await refusal(redis.incr('count'))) === null);
        for (let tries = 0; tries < 5; tries++) await refusal(redis.incr('count'));
        const stopSecond = await startAgain(first.path);
        while ((await refusal(redis.ping())) !== null) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await redis.exists('count')).to.equal(0);
        redis.disconnect();
        await stopSecond();
        await first.stop();
    });

    it('does not wait for ever for a Redis that hangs', async () => {
        const server = await startRedis();
        const redis = await connectRedis({ path: server.path }, silentLogger);
        process.kill(server.pid, 'SIGSTOP');
        const began = Date.now();
        expect(isStoreUnavailable(await refusal(redis.get('k')))).to.be.true();
        // After a second and a half, on a machine that is not slow.
        expect(Date.now() - began).to.be.below(10_000);
        process.kill(server.pid, 'SIGCONT');
        redis.disconnect();
        await server.stop();
    });
});

describe('isStoreUnavailable', () => {
    it('knows the answers of a Redis that is not there yet or not the right one', () => {
        const texts = [
            'LOADING Redis is loading the dataset in memory',
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "READONLY You can't write against a read only replica. script: abc",
            'CLUSTERDOWN The cluster is down',
            'Command timed out',
            'Connection is closed.',
            'Command aborted due to connection close',
            'Cluster is ended.',
            'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
        ];
        expect(texts.filter((text) => !isStoreUnavailable(new Error(text)))).to.equal([]);
    });

    it('does not take a refused command or anything else for it', () => {
        const texts = ['WRONGTYPE Operation against a key', 'NOSCRIPT No matching script', 'ERR LOADING', 'x'];
        texts.push('BUSYGROUP Consumer Group name already exists', 'BUSYKEY Target key name already exists.');
        expect(texts.filter((text) => isStoreUnavailable(new Error(text)))).to.equal([]);
        for (const other of [null, undefined, 'Connection is closed', { message: 'Connection is closed' }]) {
            expect(isStoreUnavailable(other)).to.be.false();
        }
    });
});

describe('checkEviction', () => {
    let server: TestRedis;
    let redis: RedisClient;

    before(async () => {
        server = await startRedis();
        redis = await connectRedis({ path: server.path }, silentLogger);
    });

    after(async () => {
        redis.disconnect();
        await server.stop();
    });

    it('takes a server that never evicts', async () => {
        await checkEviction(redis, false);
    });

    it('refuses a server that evicts, with a sentence that says how to mend it', async () => {
        await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
        await expect(checkEviction(redis, false)).to.reject(
            'Redis evicts keys when its memory is full (maxmemory-policy allkeys-lru) and is the only datastore: ' +
                'set maxmemory-policy noeviction on the server, or REDIS_ALLOW_EVICTION=true to take the loss.',
        );
        await redis.config('SET', 'maxmemory-policy', 'volatile-ttl');
        await expect(checkEviction(redis, false)).to.reject(/volatile-ttl/);
    });

    it('takes it all the same when that is wanted', async () => {
        await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
        await checkEviction(redis, true);
    });
});
