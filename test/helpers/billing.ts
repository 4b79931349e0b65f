import { expect } from '@hapi/code';

import { newTenantId, type TestStore } from './store.ts';
import { newUser } from './user.ts';
import { scriptCharge, scriptEntry, type EntryDraft } from '../../plugins/billing/entry.ts';
import { BillingStore } from '../../plugins/billing/store.ts';
import { newId } from '../../src/ids.ts';
import { dollars, type Micros } from '../../src/money.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Redis } from 'ioredis';
import type { Answer, TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';
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

/** A charge as a call of a model makes it, without the call; gives the id of its record. */
export async function charge(
    app: TestApp,
    { tenantId, userId, keyId }: { tenantId: string; userId: string; keyId?: string },
    amount: Micros,
    about: { modelId?: string; threadId?: string; vmId?: string; type?: EntryDraft['type'] } = {},
): Promise<string> {
    const { modelId = 'sandbox', threadId, vmId, type = 'model_usage' } = about;
    const payer = { tenantId, userId, ...(keyId !== undefined && { keyId }) };
    const consumer = vmId === undefined ? `model:${modelId}` : `vm:${vmId}`;
    const charged = scriptCharge(newId('hold'), payer, amount, {
        type,
        fields: {
            ...(vmId === undefined ? { modelId } : { vmId, minutes: '1' }),
            ...(threadId !== undefined && { threadId }),
        },
        sums: [consumer],
        counts: vmId === undefined ? { [`${consumer}:calls`]: 1, [`${consumer}:inputTokens`]: 10 } : {},
        index: [
            ...(threadId === undefined ? [] : [`thread:${threadId}`]),
            ...(vmId === undefined ? [] : [`vm:${vmId}`]),
        ],
    });
    await new BillingStore(app.store, Date.now).charge(tenantId, charged);
    return charged.entry.id;
}

/** Settings by which new tenants begin with five dollars. */
export const WITH_WELCOME = { config: { WELCOME_CREDITS: 5 } };

/** Who grants and refunds. */
export interface Cashier {
    token: string;
    /** Adds to a tenant's credits, or takes from them. */
    grant: (tenantId: string, amountMicros: number, key?: string, reason?: string) => Promise<Answer>;
    refund: (payload: object, key?: string) => Promise<Answer>;
}

/** A superadmin of the platform, with rates of his own, unless another token is given. */
export async function newCashier(app: TestApp, token?: string): Promise<Cashier> {
    const own = token ?? (await newUser(app, 'platform', 'superadmin')).accessToken;
    const post = (url: string, payload: object, key: string) =>
        app.call('POST', url, { token: own, payload, headers: { 'idempotency-key': key } });
    return {
        token: own,
        grant: (tenantId, amountMicros, key = newId('req'), reason = 'A gift') =>
            post('/api/billing/credits', { tenantId, amountMicros, reason }, key),
        refund: (payload, key = newId('req')) => post('/api/billing/refunds', { reason: 'Broken', ...payload }, key),
    };
}

/** What a tenant's admin sees. */
export async function readCredits(user: Pick<TestTenant, 'call'>): Promise<Record<string, unknown>> {
    const { body } = await user.call('GET', '/api/billing/credits');
    return body.data.credits;
}

/** The types of a tenant's events, oldest first. */
export async function eventsOf(app: TestApp, tenantId: string, type: string): Promise<Record<string, unknown>[]> {
    const events = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
    const found = events.filter(([, fields]) => fields[fields.indexOf('type') + 1] === type);
    return found.map(([, fields]) => JSON.parse(fields[fields.indexOf('data') + 1] ?? '') as Record<string, unknown>);
}
