import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { temporaryFolder } from './folder.ts';
import { freePort } from './free-ports.ts';
import { connectRedis, type RedisClient } from '../../src/redis/client.ts';

import type { RedisAddress } from '../../src/redis/address.ts';
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

/** A master and its replica. */
export interface ReplicatedRedis {
    master: TestRedis;
    replica: TestRedis;
    stop: () => Promise<void>;
}

/** Two servers, from when one has copied the other. */
export async function startReplicated(): Promise<ReplicatedRedis> {
    const port = String(await freePort());
    const master = await startRedis(['--port', port, '--bind', '127.0.0.1']);
    const replica = await startRedis(['--replicaof', '127.0.0.1', port]);
    const redis = new Redis(replica.path);
    while (!(await redis.info('replication')).includes('master_link_status:up')) await sleep(20);
    redis.disconnect();
    const stop = async () => {
        await replica.stop();
        await master.stop();
    };
    return { master, replica, stop };
}

let shared: Promise<TestRedis> | undefined;

/**
 * The server that all tests share: each makes tenants of its own. It ends with the process. It is a cluster of one: as
 * in any cluster, a command whose keys lie in several slots fails.
 */
export function sharedRedis(): Promise<TestRedis> {
    shared ??= startCluster();
    return shared;
}

/** @param args Instead of its TCP port */
export async function startCluster(args?: string[]): Promise<TestRedis> {
    const place = args ?? ['--port', String(await freePort())];
    const cluster = ['--cluster-enabled', 'yes', '--bind', '127.0.0.1', '--cluster-port', String(await freePort())];
    const server = await startRedis([...cluster, ...place]);
    const redis = new Redis(server.path);
    await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
    while (!(await redis.cluster('INFO')).includes('cluster_state:ok')) await sleep(20);
    redis.disconnect();
    return server;
}

/** A client of one server, and of no cluster. */
export function theServer(redis: RedisClient): Redis {
    if (!(redis instanceof Redis)) throw new Error('Not one server');
    return redis;
}

/** Connects as the program does, and gives a busy machine the time that no client of ours would wait. */
export async function connectPatiently(address: RedisAddress, logger: Logger): Promise<Redis> {
    const redis = theServer(await connectRedis(address, logger));
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
