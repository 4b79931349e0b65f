import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Keeper } from '../../../plugins/billing/keeper.ts';
import { BillingStore } from '../../../plugins/billing/store.ts';
import { dollars } from '../../../src/money.ts';
import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { expectSound, newAccount, type Account } from '../../helpers/billing.ts';
import { chargesOf, holdsOf, setSpendLimit } from '../../helpers/paid-calls.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { codeOf, openStore, silentLogger, type TestStore } from '../../helpers/store.ts';

import type { Bill } from '../../../plugins/billing/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const CALL = 'the call';
const COST = 250_000n;

describe('the hold of a call', () => {
    let server: TestRedis;
    let test: TestStore;
    let account: Account;

    before(async () => {
        // Of its own: what is swept here is nobody else's.
        server = await startRedis();
        test = await openStore(server.path);
    });

    beforeEach(async () => {
        account = await newAccount(test, dollars(1));
    });

    after(async () => {
        await test.close();
        await server.stop();
    });

    const key = () => tenantKey(account.tenantId, 'credits');
    const paid = async () => dollars(1) - (await expectSound(test.redis, account.tenantId));
    const types = async () => (await chargesOf(test.redis, account.tenantId)).map(({ type }) => type);
    const sweep = async () => {
        await test.redis.zadd(`${key()}:holds`, 'XX', 1, CALL);
        await account.store.sweep(account.tenantId, 10);
    };
    /** The steps of a call, each of which its process may be the last to see. */
    const steps = {
        take: () => account.store.takeHold(account.tenantId, account.hold(CALL, 500_000n)),
        note: () => account.store.keepHold(account.tenantId, account.hold(CALL, 0n), { used: 100_000n }),
        settle: () => account.store.settle(account.tenantId, account.settlement(CALL, COST)),
        sweep,
    };
    type StepName = keyof typeof steps;

    for (const [done, amount, entries] of [
        [['take', 'sweep', 'sweep'], 0n, []],
        [['take', 'note', 'sweep', 'sweep'], 100_000n, ['hold_settled']],
        [['take', 'note', 'settle', 'sweep'], COST, ['model_usage']],
        [['take', 'note', 'settle', 'settle', 'sweep', 'settle'], COST, ['model_usage']],
        // Its process was held up, and settles after it was swept: the difference.
        [['take', 'note', 'sweep', 'settle', 'settle'], COST, ['hold_settled', 'model_usage']],
        [['take', 'sweep', 'note', 'settle'], COST, ['model_usage']],
        // A hold that comes after its settlement is none.
        [['settle', 'take', 'sweep'], COST, ['model_usage']],
    ] as [StepName[], bigint, string[]][]) {
        it(`costs ${amount} after ${done.join(', ')}`, async () => {
            for (const step of done) {
                await steps[step]();
                await expectSound(test.redis, account.tenantId);
            }
            expect(await paid()).to.equal(amount);
            expect(await types()).to.equal(entries);
            expect(await holdsOf(test.redis, account.tenantId)).to.equal([]);
            expect(await test.redis.exists(`${key()}:held`)).to.equal(0);
        });
    }

    it('leaves the sum of those who hold more, and none of those who hold nothing', async () => {
        const { tenantId, store, hold, settlement } = account;
        await store.takeHold(tenantId, hold('one', 200n, 200n, ['tenant', 'key:one']));
        await store.takeHold(tenantId, hold('two', 300n, 300n, ['tenant', 'key:two']));
        await store.settle(tenantId, settlement('one', 100n));
        expect(await test.redis.hgetall(`${key()}:held`)).to.equal({ tenant: '300', 'key:two': '300' });
    });

    it('is told of to the meter by whoever settles it', async () => {
        const moved: [string, bigint][] = [];
        const store = new BillingStore(test.store, Date.now, (...movement) => moved.push(movement));
        await steps.take();
        await steps.note();
        await test.redis.zadd(`${key()}:holds`, 'XX', 1, CALL);
        await store.sweep(account.tenantId, 10);
        await store.settle(account.tenantId, account.settlement(CALL, COST));
        expect(moved).to.equal([
            ['hold_settled', 100_000n],
            ['model_usage', COST - 100_000n],
        ]);
    });

    it('costs once when it is settled and swept at the same time, by many', async () => {
        await steps.take();
        await steps.note();
        await test.redis.zadd(`${key()}:holds`, 'XX', 1, CALL);
        const all = Array.from({ length: 40 }, (_, n) =>
            n % 2 === 0 ? steps.settle() : account.store.sweep(account.tenantId, 10),
        );
        await Promise.all(all);
        expect(await paid()).to.equal(COST);
    });

    it('gives nothing back where the sweeper has taken more than it costs', async () => {
        await steps.take();
        await account.store.keepHold(account.tenantId, account.hold(CALL, 0n), { used: 300_000n });
        await sweep();
        await steps.settle();
        expect(await paid()).to.equal(300_000n);
    });

    it('says what could not be paid', async () => {
        await steps.take();
        await account.store.settle(account.tenantId, account.settlement(CALL, 1_200_000n));
        const [charge] = await chargesOf(test.redis, account.tenantId);
        expect(charge).to.include({ amount: '-1000000', unpaid: '200000', balance: '0' });
    });

    it('is of nothing, and not refused, where a call need not cost anything', async () => {
        const { tenantId, store, hold } = account;
        await setSpendLimit(test.redis, tenantId, 'tenant', 100_000n);
        await store.takeHold(tenantId, hold('another', 100_000n));
        await store.settle(tenantId, account.settlement('another', 150_000n));
        // The limit is passed by 50,000.
        expect(await codeOf(store.takeHold(tenantId, hold('paid', 2n, 1n)))).to.equal('SPEND_LIMIT_REACHED');
        expect(await store.takeHold(tenantId, hold('free', 500n, 0n))).to.equal({ amount: 0n, rest: 0n });
        await expectSound(test.redis, tenantId);
    });

    describe('of a process', () => {
        const keeperOf = (pace: { renewMs: number; sweepMs: number }) => new Keeper(account.store, silentLogger, pace);
        /** As far as a keeper knows it. */
        const billOf = (leaseMs: number) =>
            ({
                record: { id: CALL, payer: { tenantId: account.tenantId, userId: 'ada' } },
                hold: { ...account.hold(CALL, 500_000n), lease: leaseMs },
                noted: 70_000n,
            }) as unknown as Bill;

        it('is renewed as long as it lives, with what it has used', async () => {
            const keeper = keeperOf({ renewMs: 20, sweepMs: 60_000 });
            await steps.take();
            await test.redis.zadd(`${key()}:holds`, 'XX', 1, CALL);
            keeper.add(billOf(60_000));
            while ((await test.redis.hget(`${key()}:hold:${CALL}`, 'used')) !== '70000') await sleep(5);
            expect(Number(await test.redis.zscore(`${key()}:holds`, CALL))).to.be.above(Date.now());
            await keeper.stop();
        });

        it('is settled by another when it has died, which looks by itself, and no longer than there are any', async () => {
            const watched = tenantKey(PLATFORM, 'holds', 'watched');
            const dead = keeperOf({ renewMs: 60_000, sweepMs: 10 });
            await dead.register(account.tenantId);
            await account.store.takeHold(account.tenantId, { ...account.hold(CALL, 500_000n), lease: 30 });
            await account.store.keepHold(account.tenantId, { id: CALL, lease: 30 }, { used: 70_000n });
            await dead.stop();
            const living = keeperOf({ renewMs: 60_000, sweepMs: 10 });
            while ((await holdsOf(test.redis, account.tenantId)).length > 0) await sleep(5);
            expect(await paid()).to.equal(70_000n);
            // Others may rely on having registered the tenant for five minutes.
            expect(await test.redis.zscore(watched, account.tenantId)).to.not.be.null();
            await test.redis.hset(tenantKey(PLATFORM, 'holds', 'registered'), account.tenantId, Date.now() - 301_000);
            while ((await test.redis.zscore(watched, account.tenantId)) !== null) await sleep(5);
            await living.stop();
        });
    });
});
