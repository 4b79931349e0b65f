import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { writeTogether } from '../../../src/redis/write-together.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('writeTogether()', () => {
    let server: TestRedis;
    let redis: Redis;
    let writes = 0;

    before(async () => {
        server = await startRedis();
        redis = new Redis(server.path);
        await redis.ping();
        const { stream } = redis;
        const [write, writev] = [stream._write.bind(stream), stream._writev?.bind(stream)];
        stream._write = (...parts) => {
            writes++;
            write(...parts);
        };
        stream._writev = (...parts) => {
            writes++;
            writev?.(...parts);
        };
        writeTogether(redis);
    });

    after(async () => {
        redis.disconnect();
        await server.stop();
    });

    /** As many requests do it that go on in one turn, each in steps of its own. */
    const ask = async (n: number) => {
        for (let step = 0; step < n; step++) await Promise.resolve();
        await redis.set(`key:${n}`, n);
        return redis.get(`key:${n}`);
    };

    it('sends what a turn asks for in one write, and gives each its own answer', async () => {
        await nextTurn();
        writes = 0;
        const asked = Array.from({ length: 20 }, (_, n) => redis.incrby('sum', n));
        await nextTurn();
        expect(writes).to.equal(1);
        const sums = await Promise.all(asked);
        expect(sums.at(-1)).to.equal(190);
        expect(await Promise.all(Array.from({ length: 20 }, (_, n) => ask(n)))).to.equal(
            Array.from({ length: 20 }, (_, n) => String(n)),
        );
    });

    it('holds nothing back for a turn that is over', async () => {
        for (let n = 0; n < 3; n++) {
            await nextTurn();
            writes = 0;
            expect(await redis.incr('turns')).to.equal(n + 1);
            expect(writes).to.equal(1);
        }
    });

    it('goes on with the next connection when one is lost in the middle of a turn', async () => {
        const lost = redis.incr('lost').catch(() => null);
        redis.stream.destroy();
        await lost;
        await redis.ping();
        expect(await redis.set('after', 'it')).to.equal('OK');
    });
});
