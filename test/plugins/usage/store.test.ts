import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { UsageRules } from '../../../plugins/usage/service.ts';
import { UsageStore } from '../../../plugins/usage/store.ts';
import { newTenantId, openStore, silentLogger, type TestStore } from '../../helpers/store.ts';

import type { EndedCall } from '../../../plugins/usage/api.ts';
import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const DAY = 86_400_000;

describe('UsageStore', () => {
    let opened: TestStore;
    let store: UsageStore;
    let rules: UsageRules;
    let ada: Actor;

    before(async () => {
        opened = await openStore();
        store = new UsageStore(opened.store);
        rules = new UsageRules(store, silentLogger);
    });

    beforeEach(() => {
        ada = { tenantId: newTenantId(), userId: 'ada' } as Actor;
    });

    after(() => opened.close());

    const call = (changes: Partial<EndedCall> = {}): EndedCall => ({
        modelId: 'llama3.2:3b',
        outcome: 'complete',
        errorCode: null,
        usage: { inputFresh: 1, cacheRead: 2, cacheWrite: 3, output: 4, reasoning: 1, isEstimated: true },
        durationMs: 10.4,
        timeToFirstTokenMs: 5.5,
        ...changes,
    });
    const count = (id: string, changes?: Partial<EndedCall>) => store.count(ada, id, rules.counts(call(changes)));
    const countAt = async (time: string, id = time) => {
        await opened.setTime(Date.parse(time));
        await count(id);
    };
    const periods = async (query: object) => {
        const { from, to, periods: found } = await rules.read(ada, query);
        return { from, to, found: found.map(({ period, models }) => [period, models[0]?.calls]) };
    };

    it('counts a call once under its id, also for twenty at once', async () => {
        const counted = await Promise.all(Array.from({ length: 20 }, () => count('call')));
        expect(counted.filter(Boolean)).to.have.length(1);
        expect(await count('call')).to.be.false();
        const { total, models } = await rules.read(ada, {});
        expect(total).to.equal({
            calls: 1,
            errors: 0,
            errorsByCategory: {},
            cancelled: 0,
            inputFresh: 1,
            cacheRead: 2,
            cacheWrite: 3,
            output: 4,
            reasoning: 1,
            estimatedCalls: 1,
            averageDurationMs: 10,
            averageTimeToFirstTokenMs: 6,
        });
        expect(models).to.equal([{ modelId: 'llama3.2:3b', ...total }]);
    });

    it('takes nothing away when a clock was set back', async () => {
        await count('one', { durationMs: -5_000, timeToFirstTokenMs: -1 });
        const { total } = await rules.read(ada, {});
        expect(total).to.include({ calls: 1, averageDurationMs: 0, averageTimeToFirstTokenMs: 0 });
    });

    it('averages over the calls that were measured', async () => {
        await count('one', { durationMs: 100, timeToFirstTokenMs: 40 });
        await count('two', { durationMs: 200, timeToFirstTokenMs: null, outcome: 'cancelled' });
        await count('three', { durationMs: null, timeToFirstTokenMs: null, outcome: 'interrupted' });
        const { total } = await rules.read(ada, {});
        expect(total).to.include({ calls: 3, cancelled: 1, errors: 1, errorsByCategory: { server: 1 } });
        expect(total).to.include({ averageDurationMs: 150, averageTimeToFirstTokenMs: 40 });
    });

    it('counts by day and month in UTC, over the ends of months, years and Februaries', async () => {
        for (const time of [
            '2027-12-31T23:59:59.999Z',
            '2028-01-01T00:00:00.000Z',
            '2028-02-28T12:00:00.000Z',
            '2028-02-29T23:59:59.999Z',
            '2028-03-01T00:00:00.000Z',
        ]) {
            await countAt(time);
        }
        expect(await periods({ days: 2 })).to.equal({
            from: '2028-02-29',
            to: '2028-03-01',
            found: [
                ['2028-03-01', 1],
                ['2028-02-29', 1],
            ],
        });
        expect((await periods({ days: 61 })).found).to.equal([
            ['2028-03-01', 1],
            ['2028-02-29', 1],
            ['2028-02-28', 1],
            ['2028-01-01', 1],
        ]);
        expect((await periods({ days: 92 })).from).to.equal('2027-12-01');
        expect(await periods({ months: 4 })).to.equal({
            from: '2027-12',
            to: '2028-03',
            found: [
                ['2028-03', 1],
                ['2028-02', 2],
                ['2028-01', 1],
                ['2027-12', 1],
            ],
        });
    });

    it('agrees with the calendar on every day of ten years', async () => {
        const start = Date.UTC(2026, 10, 20);
        for (let day = 0; day < 3_653; day += 91) {
            const at = start + day * DAY;
            await opened.setTime(at);
            const { newest, oldest } = await store.read(ada, 'day', 92);
            const named = (time: number) => new Date(time).toISOString().slice(0, 10).replaceAll('-', '');
            expect([newest, oldest]).to.equal([named(at), named(at - 91 * DAY)]);
        }
    });

    it('keeps days for 92 days and months for 25 months', async () => {
        await countAt('2026-11-20T12:00:00.000Z');
        const key = store.key(ada);
        expect(await opened.redis.ttl(`${key}:20261120`)).to.be.within(92 * 86_400 - 60, 92 * 86_400);
        expect(await opened.redis.ttl(`${key}:202611`)).to.be.within(775 * 86_400 - 60, 775 * 86_400);
        const marks = await opened.redis.keys(`tenant:{${ada.tenantId}}:usage-mark:*`);
        expect(marks).to.have.length(1);
        expect(await opened.redis.ttl(marks[0] ?? '')).to.be.within(3_540, 3_600);
    });

    it('removes all of a user and nothing of others', async () => {
        const bob = { ...ada, userId: 'bob' };
        await opened.setTime(Date.parse('2026-11-20T12:00:00.000Z'));
        await store.count(bob, 'other', rules.counts(call()));
        for (const time of ['2025-01-05T00:00:00.000Z', '2026-08-20T13:00:00.000Z', '2026-11-20T12:00:00.000Z']) {
            await countAt(time);
        }
        // Long expired, by a clock that does not jump.
        await opened.redis.del(`${store.key(ada)}:20250105`);
        await store.remove(ada);
        const kept = await opened.redis.keys(`tenant:{${ada.tenantId}}:usage:*:*`);
        expect(kept.toSorted()).to.equal([`${store.key(bob)}:202611`, `${store.key(bob)}:20261120`]);
    });

    it('counts the calls and tokens of all users together', async () => {
        await opened.setTime(Date.parse('2026-11-20T12:00:00.000Z'));
        await count('one');
        await store.count({ ...ada, userId: 'bob' }, 'two', rules.counts(call({ outcome: 'failed', usage: null })));
        for (const name of ['20261120', '202611']) {
            const key = `tenant:{${ada.tenantId}}:usage:${name}`;
            expect(await opened.redis.hgetall(key)).to.equal({ 'llama3.2:3b:calls': '2', 'llama3.2:3b:tokens': '10' });
            expect(await opened.redis.ttl(key)).to.be.above(91 * 86_400);
        }
    });
});
