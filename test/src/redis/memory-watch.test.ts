import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Cluster, type Redis } from 'ioredis';

import { MemoryWatch, memoryOf } from '../../../src/redis/memory-watch.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { notingLogger } from '../../helpers/logger.ts';
import { connectPatiently, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const BALLAST = Buffer.alloc(1_000_000, 'x');

describe('MemoryWatch', () => {
    let server: TestRedis;
    let redis: Redis;
    const { logger, messages: logs } = notingLogger();

    before(async () => {
        server = await startRedis();
        redis = await connectPatiently({ path: server.path }, silentLogger);
        // So much that what connections and commands take is nothing beside it.
        for (let number = 0; number < 40; number++) await redis.set(`ballast:${number}`, BALLAST);
    });

    beforeEach(() => {
        logs.length = 0;
    });

    after(async () => {
        redis.disconnect();
        await server.stop();
    });

    /** Gives the server so much that it has that part taken. */
    const take = async (part: number) => {
        const used = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1];
        await redis.config('SET', 'maxmemory', Math.round(Number(used) / part));
    };

    it('tells the part of maxmemory that is taken, and null where there is none', async () => {
        await redis.config('SET', 'maxmemory', 0);
        expect(await memoryOf(redis)).to.be.null();
        await take(0.5);
        expect(Number(await memoryOf(redis))).to.be.about(0.5, 0.005);
    });

    it('is full from 80 % on, and until it is below 78 %', async () => {
        const metrics = new Metrics();
        const watch = new MemoryWatch(redis, logger, metrics);
        expect({ used: watch.used, isFull: watch.isFull }).to.equal({ used: null, isFull: false });
        expect(await metrics.text()).to.not.match(/^db_memory_used_ratio/m);
        const look = async (part: number) => {
            await take(part);
            await watch.look();
            return watch.isFull;
        };
        expect([await look(0.79), logs]).to.equal([false, []]);
        expect(await look(0.81)).to.be.true();
        expect(await look(0.79)).to.be.true();
        expect(logs).to.equal(['Redis is nearly full: what makes new data is refused']);
        expect(await look(0.77)).to.be.false();
        expect(await look(0.79)).to.be.false();
        expect(logs.slice(1)).to.equal(['Redis has room again']);
        expect(await metrics.sum('db_memory_used_ratio')).to.be.about(0.79, 0.005);

        await look(0.9);
        await redis.config('SET', 'maxmemory', 0);
        await watch.look();
        expect({ used: watch.used, isFull: watch.isFull }).to.equal({ used: null, isFull: false });
    });

    it('stays as it was while Redis is away', async () => {
        const other = await connectPatiently({ path: server.path }, silentLogger);
        const watch = new MemoryWatch(other, logger, new Metrics());
        await take(0.85);
        await watch.start();
        watch.stop();
        other.disconnect();
        await redis.config('SET', 'maxmemory', 0);
        await watch.look();
        expect(Number(watch.used)).to.be.about(0.85, 0.005);
        expect(watch.isFull).to.be.true();
    });

    it('does not take a cluster of which no server is left for one without a limit', async () => {
        const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
        await expect(memoryOf(cluster)).to.reject('No master is known');
    });
});
