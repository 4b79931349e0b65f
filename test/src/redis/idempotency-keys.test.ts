import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { createDatastore } from '../../../src/redis/datastore.ts';
import { IdempotencyKeys } from '../../../src/redis/idempotency-keys.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { sharedRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const LEASE_MS = 5_000;
const DAY_MS = 86_400_000;

describe('IdempotencyKeys', () => {
    let redis: Redis;
    let keys: IdempotencyKeys;
    let key: string;

    before(async () => {
        redis = new Redis((await sharedRedis()).path);
        keys = new IdempotencyKeys(createDatastore(redis), LEASE_MS);
    });

    beforeEach(() => {
        key = tenantKey(`tenant_${randomBytes(8).toString('hex')}`, 'idempotency', 'user', 'key');
    });

    after(() => redis.disconnect());

    const claim = (holder: string, body = 'body') => ({ key, body, holder });

    it('gives a key to the first of many', async () => {
        const taken = await Promise.all(Array.from({ length: 20 }, (_, n) => keys.take(claim(`holder ${n}`))));
        expect(taken.filter(({ state }) => state === 'taken')).to.have.length(1);
        expect(taken.filter(({ state }) => state === 'running')).to.have.length(19);
    });

    it('knows another body while the first runs and when it was answered', async () => {
        await keys.take(claim('one'));
        expect(await keys.take(claim('two', 'other'))).to.equal({ state: 'reused' });
        await keys.end(claim('one'), 'answer');
        expect(await keys.take(claim('two', 'other'))).to.equal({ state: 'reused' });
        expect(await keys.take(claim('two'))).to.equal({ state: 'answered', answer: 'answer' });
    });

    it('frees the key after the lease, unless its holder renews it', async () => {
        await keys.take(claim('one'));
        expect(await redis.pttl(key)).to.be.within(1, LEASE_MS);
        await redis.pexpire(key, 60_000);
        await keys.renew(claim('two'));
        expect(await redis.pttl(key)).to.be.above(LEASE_MS);
        await keys.renew(claim('one'));
        expect(await redis.pttl(key)).to.be.within(1, LEASE_MS);
        await redis.del(key);
        await keys.renew(claim('one'));
        expect(await redis.exists(key)).to.equal(0);
    });

    it('keeps an answer for 24 hours, and no lease shortens that', async () => {
        await keys.take(claim('one'));
        await keys.end(claim('one'), 'answer');
        await keys.renew(claim('one'));
        await keys.end(claim('one'));
        expect(await redis.pttl(key)).to.be.within(DAY_MS - 10_000, DAY_MS);
        expect(await redis.hget(key, 'holder')).to.be.null();
    });

    it('frees a key that is ended without an answer', async () => {
        await keys.take(claim('one'));
        await keys.end(claim('one'));
        expect(await keys.take(claim('two', 'other'))).to.equal({ state: 'taken' });
    });

    it('keeps the answer of a holder whose lease ran out, if nobody else has the key', async () => {
        await keys.take(claim('one'));
        await redis.del(key);
        await keys.end(claim('one'), 'answer');
        expect(await keys.take(claim('two'))).to.equal({ state: 'answered', answer: 'answer' });
    });

    it('lets a holder whose lease ran out end nothing of the next one', async () => {
        await keys.take(claim('one'));
        await redis.del(key);
        await keys.take(claim('two'));
        await keys.end(claim('one'), 'late');
        await keys.end(claim('one'));
        expect(await keys.take(claim('three'))).to.equal({ state: 'running', holder: 'two' });
        await keys.end(claim('two'), 'answer');
        expect(await keys.take(claim('three'))).to.equal({ state: 'answered', answer: 'answer' });
    });
});
