import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { temporaryFolder } from './folder.ts';
import { connectRedis, type RedisAddress } from '../../src/redis/client.ts';

import type { Logger } from '../../src/telemetry/logger.ts';

const PATIENCE_MS = 30_000;

/** A redis-server of a test's own, on a unix socket, without anything on disk; `args` come after ours and win. */
export interface TestRedis {
    path: string;
    pid: number;
    stop: () => Promise<void>;
}

export async function startRedis(args: string[] = []): Promise<TestRedis> {
    const folder = temporaryFolder();
    const path = join(folder, 'redis.sock');
    const place = ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', [...place, '--maxmemory-policy', 'noeviction', ...args], { stdio: 'ignore' });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    await untilItAnswers(path);
    return {
        path,
        pid: child.pid ?? 0,
        stop: async () => {
            process.off('exit', kill);
            const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
            kill();
            await exited;
        },
    };
}

let shared: Promise<TestRedis> | undefined;

/** The server that all tests share: each makes tenants of its own. It ends with the process. */
export function sharedRedis(): Promise<TestRedis> {
    shared ??= startRedis();
    return shared;
}

/** Connects as the program does, and gives a busy machine the time that no client of ours would wait. */
export async function connectPatiently(address: RedisAddress, logger: Logger): Promise<Redis> {
    const redis = await connectRedis(address, logger);
    redis.options.commandTimeout = PATIENCE_MS;
    return redis;
}

async function untilItAnswers(path: string): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
        const redis = new Redis(path, { lazyConnect: true, retryStrategy: () => null });
        redis.on('error', () => undefined);
        const answered = await redis.connect().then(
            () => true,
            () => false,
        );
        redis.disconnect();
        if (answered) return;
        await sleep(10);
    }
    throw new Error('redis-server did not answer');
}

/** A TCP port that nobody listens on just now. */
export async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
}
