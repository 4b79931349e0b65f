import { expect } from '@hapi/code';

import { newTenantId, type TestStore } from './store.ts';
import { scriptEntry, type EntryDraft } from '../../plugins/billing/entry.ts';
import { BillingStore } from '../../plugins/billing/store.ts';
import { dollars, type Micros } from '../../src/money.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Redis } from 'ioredis';
import type { ScriptHold, ScriptSettlement } from '../../plugins/billing/model-bill.ts';

/** The credits of a tenant of the test's own, without the program around them. */
export interface Account {
    tenantId: string;
    store: BillingStore;
    grant: (id: string, amount: Micros, type?: EntryDraft['type']) => Promise<{ isNew: boolean }>;
    hold: (id: string, want: Micros, least?: Micros, who?: string[]) => ScriptHold;
    settlement: (id: string, cost: Micros) => ScriptSettlement;
}

export async function newAccount({ store, setTime }: TestStore, balance: Micros, at?: number): Promise<Account> {
    if (at !== undefined) await setTime(at);
    const tenantId = newTenantId();
    const billing = new BillingStore(store, Date.now);
    const payer = { tenantId, userId: 'user_of_the_test' };
    const entry = (type: EntryDraft['type']) => scriptEntry({ type, payer });
    const account: Account = {
        tenantId,
        store: billing,
        grant: (id, amount, type = 'credit_add') =>
            billing.grant(tenantId, { id, amount, most: dollars(10_000), entry: entry(type), outbox: {} }),
        hold: (id, want, least = want, who = ['tenant', `user:${payer.userId}`]) => ({
            id,
            want: String(want),
            least: String(least),
            lease: 60_000,
            who,
            entry: entry('model_usage'),
        }),
        settlement: (id, cost) => ({ id, cost: String(cost), entry: entry('model_usage') }),
    };
    if (balance > 0n) await account.grant('the first', balance);
    return account;
}

/** All at one moment: money may be moving meanwhile. */
const SNAPSHOT = `
local amounts = {}
for n, id in ipairs(redis.call('ZRANGE', KEYS[1] .. ':holds', 0, -1)) do
    amounts[n] = redis.call('HGET', KEYS[1] .. ':hold:' .. id, 'amount')
end
return { redis.call('XRANGE', KEYS[1] .. ':ledger', '-', '+'), redis.call('HGET', KEYS[1], 'balance'),
    redis.call('HGET', KEYS[1] .. ':held', 'tenant'), amounts }`;
type Snapshot = [
    ledger: [id: string, fields: string[]][],
    balance: string | null,
    held: string | null,
    amounts: (string | null)[],
];

/** Looks at what must hold after every step, whatever happened: gives the balance. */
export async function expectSound(redis: Redis, tenantId: string): Promise<Micros> {
    const key = tenantKey(tenantId, 'credits');
    const [ledger, balance, held, amounts] = (await redis.eval(SNAPSHOT, 1, key)) as Snapshot;
    const sum = ledger.reduce((all, [, fields]) => all + BigInt(fields[fields.indexOf('amount') + 1] ?? ''), 0n);
    const heldSum = amounts.reduce((all, amount) => all + BigInt(amount ?? ''), 0n);
    expect(BigInt(balance ?? 0), 'the balance is the sum of the ledger').to.equal(sum);
    expect(BigInt(held ?? 0), 'what is held is the sum of the holds').to.equal(heldSum);
    expect(sum - heldSum >= 0n, `nothing is overspent: ${sum} - ${heldSum}`).to.be.true();
    const last = ledger.at(-1)?.[1] ?? [];
    if (last.length > 0) expect(last[last.indexOf('balance') + 1]).to.equal(String(sum));
    return sum;
}
