import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { expectSound, newAccount, type Account } from '../../helpers/billing.ts';
import { seeded } from '../../helpers/seeded.ts';
import { codeOf, openStore, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

type Step = (account: Account) => Promise<unknown>;

/** A refusal for want of credit is an answer like any other. */
const orRefused = (promise: Promise<unknown>): Promise<unknown> =>
    promise.catch((error: unknown) => {
        const { data } = error as { data?: { code?: string } };
        if (data?.code !== 'INSUFFICIENT_CREDITS' && data?.code !== 'BALANCE_LIMIT') throw error;
    });

/** Any movement there is, of ids that often meet, so that repeats and orders nobody thought of are among them. */
function anyStep(random: () => number, { redis }: TestStore): Step {
    const upTo = (most: number) => Math.floor(random() * most);
    const id = `hold ${upTo(25)}`;
    const amount = BigInt(1 + upTo(2_000_000));
    const steps: Step[] = [
        ({ store, tenantId, hold }) => orRefused(store.takeHold(tenantId, hold(id, amount, amount / 2n))),
        ({ store, tenantId, hold }) =>
            store.keepHold(tenantId, hold(id, 0n), { used: amount / 3n, target: amount + 500_000n }),
        ({ store, tenantId, settlement }) => store.settle(tenantId, settlement(id, amount)),
        ({ store, tenantId, settlement }) => store.settle(tenantId, settlement(id, 0n)),
        async ({ store, tenantId }) => {
            const holds = `${tenantKey(tenantId, 'credits')}:holds`;
            if ((await redis.zscore(holds, id)) !== null) await redis.zadd(holds, 'XX', 1, id);
            await store.sweep(tenantId, 10);
        },
        ({ grant }) => orRefused(grant(`grant ${upTo(40)}`, amount)),
        ({ grant }) => orRefused(grant(`deduction ${upTo(40)}`, -amount, 'credit_deduct')),
        ({ grant }) => orRefused(grant(`refund ${upTo(40)}`, amount / 10n, 'refund')),
    ];
    return steps[upTo(steps.length)] as Step;
}

describe('the ledger', () => {
    let test: TestStore;

    before(async () => {
        test = await openStore();
    });

    after(() => test.close());

    it('stays sound whatever order its movements come in', async () => {
        for (let seed = 1; seed <= 12; seed++) {
            const random = seeded(seed);
            const account = await newAccount(test, dollars(5));
            for (let round = 0; round < 40; round++) {
                const steps = Array.from({ length: 1 + Math.floor(random() * 8) }, () => anyStep(random, test));
                await Promise.all(steps.map((step) => step(account)));
                await expectSound(test.redis, account.tenantId).catch((error: Error) => {
                    throw new Error(`Seed ${seed}, round ${round}: ${error.message}`, { cause: error });
                });
            }
        }
    });

    it('moves money once for an operation', async () => {
        const { tenantId, store, grant, hold, settlement } = await newAccount(test, dollars(1));
        expect(await grant('a gift', 500_000n)).to.include({ isNew: true });
        expect(await grant('a gift', 500_000n)).to.include({ isNew: false });
        await store.takeHold(tenantId, hold('a call', 300_000n));
        await store.takeHold(tenantId, hold('a call', 300_000n));
        expect((await store.read(tenantId)).held).to.equal(300_000n);
        const settled = [];
        for (let n = 0; n < 3; n++) settled.push(await store.settle(tenantId, settlement('a call', 200_000n)));
        expect(settled).to.equal([200_000n, 0n, 0n]);
        expect(await expectSound(test.redis, tenantId)).to.equal(1_300_000n);
        // What has been settled is not taken again by a repeat that comes late.
        await store.takeHold(tenantId, hold('a call', 300_000n));
        expect(await store.read(tenantId)).to.include({ held: 0n, spent: 200_000n });
    });

    it('lets as many of 3,000 at once through as the balance pays', async () => {
        // 1,428 of 7,000 micro-dollars each; 4,000 are left.
        const { tenantId, store, hold, settlement } = await newAccount(test, dollars(10));
        const calls = Array.from({ length: 3_000 }, (_, n) => `call ${n}`);
        const taken = await Promise.all(
            calls.map(async (id) => {
                const held = await orRefused(store.takeHold(tenantId, hold(id, 7_000n)));
                return held === undefined ? null : id;
            }),
        );
        const ran = taken.filter((id) => id !== null);
        expect(ran.length).to.equal(1_428);
        await expectSound(test.redis, tenantId);
        await Promise.all(ran.map((id) => store.settle(tenantId, settlement(id, 7_000n))));
        expect(await expectSound(test.redis, tenantId)).to.equal(4_000n);
        expect(await store.read(tenantId)).to.include({ balance: 4_000n, held: 0n, spent: 9_996_000n });
    });

    it('refuses amounts past 2^53', async () => {
        const { grant, tenantId, store, settlement } = await newAccount(test, dollars(1));
        await expect(grant('too much', 2n ** 53n)).to.reject(/Not an amount/);
        await expect(store.settle(tenantId, settlement('a call', 2n ** 60n))).to.reject(/Not an amount/);
        expect(await expectSound(test.redis, tenantId)).to.equal(1_000_000n);
    });

    it('tells that a hold is what keeps the credit from being had', async () => {
        const { tenantId, store, hold } = await newAccount(test, dollars(1));
        await store.takeHold(tenantId, hold('one', 900_000n));
        const refused = store.takeHold(tenantId, hold('two', 200_000n));
        expect(await codeOf(refused)).to.equal('INSUFFICIENT_CREDITS');
        const held = await refused.catch((error: unknown) => error as { output: { headers: object } });
        expect((held as { output: { headers: object } }).output.headers).to.equal({ 'retry-after': 5 });
        const never = await store.takeHold(tenantId, hold('three', 1_200_000n)).catch((error: unknown) => error);
        expect((never as { output: { headers: object } }).output.headers).to.equal({});
    });
});
