import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { connectRedis, type RedisClient } from '../../../src/redis/client.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../../src/redis/embedded.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const moduleUrl = (name: string) => new URL(`../../../src/${name}`, import.meta.url).href;

/** A process that starts Redis in its folder, says its answer and stays. */
const PARENT = `
const { startEmbeddedRedis } = await import('${moduleUrl('redis/embedded.js')}');
const { createLogger } = await import('${moduleUrl('telemetry/logger.js')}');
await startEmbeddedRedis(process.argv[1], createLogger({ level: 'silent', pretty: false }));
console.log('started');
setInterval(() => {}, 1000);`;

describe('startEmbeddedRedis', () => {
    const cleanUps: (() => Promise<unknown> | void)[] = [];

    const start = async (folder: string, logger = silentLogger): Promise<EmbeddedRedis> => {
        const embedded = await startEmbeddedRedis(folder, logger);
        cleanUps.push(() => embedded.stop());
        return embedded;
    };

    const connect = async ({ path }: { path: string }): Promise<RedisClient> => {
        const redis = await connectRedis({ path }, silentLogger);
        cleanUps.push(() => redis.disconnect());
        return redis;
    };

    const pidOf = async (redis: RedisClient) => Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);

    const startInChild = async (folder: string) => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', PARENT, folder], {
            stdio: ['ignore', 'pipe', 'inherit'],
        });
        const kill = async () => {
            if (child.exitCode !== null || child.signalCode !== null) return;
            child.kill('SIGKILL');
            await once(child, 'exit');
        };
        cleanUps.push(kill);
        await once(createInterface(child.stdout), 'line');
        return { pid: child.pid ?? 0, kill };
    };

    const until = async (condition: () => boolean | Promise<boolean>) => {
        while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
    };

    const untilItAnswers = (redis: RedisClient) =>
        until(() =>
            redis.ping().then(
                () => true,
                () => false,
            ),
        );

    /** Waits until there is no such process; a test that waits in vain fails by its time. */
    const untilGone = (pid: number) =>
        until(() => {
            try {
                return !process.kill(pid, 0);
            } catch {
                return true;
            }
        });

    afterEach(async () => {
        for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    });

    it('starts Redis with a socket for its owner only, durable and without eviction', async () => {
        const folder = join(temporaryFolder(), 'data');
        const embedded = await start(folder);
        expect(embedded.path).to.equal(join(folder, 'redis.sock'));
        expect(statSync(embedded.path).mode & 0o777).to.equal(0o700);
        const redis = await connect(embedded);
        expect(await redis.config('GET', 'maxmemory-policy', 'appendonly', 'port')).to.include([
            'noeviction',
            'yes',
            '0',
        ]);
    });

    it('keeps its data over a stop and a start, and leaves no process and no lock', async () => {
        const folder = temporaryFolder();
        const first = await start(folder);
        const redis = await connect(first);
        await redis.set('k', 'v');
        const pid = await pidOf(redis);
        await first.stop();
        expect(() => process.kill(pid, 0)).to.throw(/ESRCH/);
        expect(existsSync(join(folder, 'lock'))).to.be.false();
        expect(existsSync(first.path)).to.be.false();

        const again = await connect(await start(folder));
        expect(await again.get('k')).to.equal('v');
    });

    it('can be stopped twice', async () => {
        const embedded = await start(temporaryFolder());
        await embedded.stop();
        await embedded.stop();
    });

    it('refuses a second start in the same directory, and leaves the first alone', async () => {
        const folder = temporaryFolder();
        const { pid } = await startInChild(folder);
        const redis = await connect({ path: join(folder, 'redis.sock') });
        const redisPid = await pidOf(redis);
        await expect(startEmbeddedRedis(folder, silentLogger)).to.reject(
            `${folder} is in use by process ${pid}: stop it, or set DATA_DIR to another directory.`,
        );
        expect(await pidOf(redis)).to.equal(redisPid);
        await redis.shutdown().catch(() => undefined);
    });

    it('starts Redis again that was killed, with what was written', async () => {
        const lines: string[] = [];
        const destination = { write: (line: string) => void lines.push(line) };
        const embedded = await start(temporaryFolder(), createLogger({ level: 'info', pretty: false, destination }));
        const redis = await connect(embedded);
        await redis.set('k', 'v');
        for (let time = 0; time < 2; time++) {
            const pid = await pidOf(redis);
            process.kill(pid, 'SIGKILL');
            await untilItAnswers(redis);
            expect(await pidOf(redis)).to.not.equal(pid);
            expect(await redis.get('k')).to.equal('v');
        }
        expect(lines.filter((line) => line.includes('redis-server ended; starting it again'))).to.have.length(2);
        expect(lines.join()).to.include('SIGKILL');
    });

    it('goes on trying when Redis does not start again', async () => {
        const lines: string[] = [];
        const destination = { write: (line: string) => void lines.push(line) };
        const embedded = await start(temporaryFolder(), createLogger({ level: 'info', pretty: false, destination }));
        const redis = await connect(embedded);
        const { PATH } = process.env;
        process.env.PATH = temporaryFolder();
        try {
            process.kill(await pidOf(redis), 'SIGKILL');
            await until(() => lines.some((line) => line.includes('redis-server did not start')));
        } finally {
            process.env.PATH = PATH;
        }
        await untilItAnswers(redis);
        expect(await redis.ping()).to.equal('PONG');
    });

    it('is stopped while it waits to start Redis again', async () => {
        const folder = temporaryFolder();
        const embedded = await start(folder);
        const redis = await connect(embedded);
        process.kill(await pidOf(redis), 'SIGKILL');
        redis.disconnect();
        await embedded.stop();
        await new Promise((resolve) => setTimeout(resolve, 250));
        await expect(connectRedis(embedded, silentLogger)).to.reject();
    });

    it('takes over the Redis that a killed process left behind, with its data', async () => {
        const folder = temporaryFolder();
        const parent = await startInChild(folder);
        const orphan = await connect({ path: join(folder, 'redis.sock') });
        await orphan.set('k', 'v');
        const pid = await pidOf(orphan);
        await parent.kill();
        expect(await pidOf(orphan)).to.equal(pid);
        orphan.disconnect();

        const redis = await connect(await start(folder));
        expect(await redis.get('k')).to.equal('v');
        expect(await pidOf(redis)).to.not.equal(pid);
        await untilGone(pid);
    });

    it('refuses a directory with too long a path, before it makes anything', async () => {
        const folder = join(temporaryFolder(), 'x'.repeat(100));
        await expect(startEmbeddedRedis(folder, silentLogger)).to.reject(
            `DATA_DIR is too long for a unix socket (${folder}/redis.sock): choose a shorter one, or set REDIS_URL.`,
        );
        expect(existsSync(folder)).to.be.false();
    });

    it('says so when redis-server is not there, and gives the directory back', async () => {
        const folder = temporaryFolder();
        const { PATH } = process.env;
        process.env.PATH = folder;
        try {
            await expect(startEmbeddedRedis(folder, silentLogger)).to.reject(
                'redis-server is not on the PATH: install Redis 7.0 or newer, or set REDIS_URL.',
            );
        } finally {
            process.env.PATH = PATH;
        }
        expect(existsSync(join(folder, 'lock'))).to.be.false();
        await start(folder);
    });

    it('says so when redis-server ends at once, and gives the directory back', async () => {
        const folder = temporaryFolder();
        // Redis cannot write there: a directory stands where its append-only file would be.
        mkdirSync(join(folder, 'redis/appendonlydir/appendonly.aof.manifest'), { recursive: true });
        await expect(startEmbeddedRedis(folder, silentLogger)).to.reject(
            'redis-server ended with code 1 before it answered',
        );
        expect(existsSync(join(folder, 'lock'))).to.be.false();
    });
});
