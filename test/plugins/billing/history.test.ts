import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { scriptCharge } from '../../../plugins/billing/entry.ts';
import { HistoryStore } from '../../../plugins/billing/history-store.ts';
import { newId } from '../../../src/ids.ts';
import { dollars } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { WITH_WELCOME, charge, newAccount, newCashier } from '../../helpers/billing.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { NOON, openStore, type TestStore } from '../../helpers/store.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { EntryType } from '../../../plugins/billing/entry.ts';
import type { HistoryFilter } from '../../../plugins/billing/history.ts';
import type { LedgerRecord } from '../../../plugins/billing/record.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/billing/history';

describe(`GET ${ROUTE}`, () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp(WITH_WELCOME);
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const recordsOf = ({ body, text }: Answer): LedgerRecord[] => {
        if (!body?.data) throw new Error(text);
        return body.data.records;
    };
    const amountsOf = (answer: Answer) => recordsOf(answer).map(({ amountMicros }) => amountMicros);

    it('shows every movement, the newest first, with the balance after it', async () => {
        const threadId = newId('thread');
        const id = await charge(app, ada, 50_000n, { threadId, modelId: 'claude-opus' });
        const cashier = await newCashier(app);
        await cashier.grant(ada.tenantId, 1_000_000, undefined, 'Prepaid');
        const answer = await ada.call('GET', ROUTE);
        const [grant, call, welcome] = recordsOf(answer);
        expect(answer.body.pagination).to.equal({ cursor: null, limit: 20, hasMore: false });
        expect(recordsOf(answer)).to.have.length(3);
        expect(welcome).to.include({ type: 'credit_add', amountMicros: 5_000_000, reason: 'Welcome' });
        expect(grant).to.include({ type: 'credit_add', balanceMicros: 5_950_000, reason: 'Prepaid' });
        const { createdAt, ...rest } = call as LedgerRecord;
        expect(Math.abs(Date.parse(createdAt) - Date.now())).to.be.below(60_000);
        expect(rest).to.equal({
            id,
            type: 'model_usage',
            amountMicros: -50_000,
            amount: '-0.050000',
            balanceMicros: 4_950_000,
            userId: ada.userId,
            keyId: null,
            modelId: 'claude-opus',
            threadId,
            messageId: null,
            vmId: null,
            projectId: null,
            tunnelId: null,
            priceVersion: null,
            reason: null,
            usage: null,
            minutes: null,
            isEstimated: false,
            unpaidMicros: 0,
            refundOf: null,
            description: 'Call of claude-opus',
        });
    });

    it('goes from page to page, in both orders', async () => {
        for (let n = 1n; n <= 5n; n++) await charge(app, ada, n);
        const first = await ada.call('GET', `${ROUTE}?limit=4`);
        expect(amountsOf(first)).to.equal([-5, -4, -3, -2]);
        expect(first.body.pagination).to.include({ hasMore: true, limit: 4 });
        const second = await ada.call('GET', `${ROUTE}?limit=4&cursor=${first.body.pagination.cursor}`);
        expect(amountsOf(second)).to.equal([-1, 5_000_000]);
        expect(second.body.pagination).to.include({ hasMore: false, cursor: null });
        expect(amountsOf(await ada.call('GET', `${ROUTE}?limit=3&order=asc`))).to.equal([5_000_000, -1, -2]);
    });

    it('refuses a cursor of another query, of another tenant, and one that was altered', async () => {
        for (let n = 1n; n <= 3n; n++) await charge(app, ada, n);
        const { body } = await ada.call('GET', `${ROUTE}?limit=1&type=model_usage`);
        const { cursor } = body.pagination;
        const eve = await newTenant(app);
        const query = `${ROUTE}?limit=1&cursor=${cursor}`;
        expect((await ada.call('GET', `${query}&type=model_usage`)).status).to.equal(200);
        for (const answer of [
            await ada.call('GET', query),
            await ada.call('GET', `${query}&type=refund`),
            await ada.call('GET', `${query}&type=model_usage&order=asc`),
            await eve.call('GET', `${query}&type=model_usage`),
            await ada.call('GET', `${query}x&type=model_usage`),
        ]) {
            expectError(answer, 'INVALID_CURSOR');
        }
    });

    it('shows users their own records only, whatever they ask for', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        await charge(app, ada, 1n);
        await charge(app, { tenantId: ada.tenantId, userId: bob.userId }, 2n);
        expect(amountsOf(await bob.call('GET', ROUTE))).to.equal([-2]);
        expect(amountsOf(await bob.call('GET', `${ROUTE}?userId=${bob.userId}`))).to.equal([-2]);
        expect(amountsOf(await bob.call('GET', `${ROUTE}?userId=${ada.userId}`))).to.equal([]);
        expect(amountsOf(await bob.call('GET', `${ROUTE}?type=credit_add`))).to.equal([]);
        expect(amountsOf(await ada.call('GET', `${ROUTE}?userId=${bob.userId}`))).to.equal([-2]);
        // An API key of an admin sees what its scopes say.
        const own = await newKey(ada, { scopes: ['billing:read-own'] });
        expect(amountsOf(await app.call('GET', ROUTE, { token: own.secret }))).to.equal([-1]);
        const all = await newKey(ada, { scopes: ['billing:read'] });
        expect(amountsOf(await app.call('GET', ROUTE, { token: all.secret }))).to.equal([-2, -1, 5_000_000]);
        const none = await newKey(ada, { scopes: ['thread:read'] });
        expectError(await app.call('GET', ROUTE, { token: none.secret }), 'FORBIDDEN');
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
    });

    it('shows nobody the records of another tenant', async () => {
        const threadId = newId('thread');
        await charge(app, ada, 1n, { threadId });
        const eve = await newTenant(app);
        for (const query of ['', `?userId=${ada.userId}`, `?threadId=${threadId}`, '?type=model_usage']) {
            expect((await eve.call('GET', `${ROUTE}${query}`)).text).to.not.contain(ada.userId);
        }
        const finance = await newUser(app, 'platform', 'finance');
        expect((await finance.call('GET', `${ROUTE}?limit=100`)).text).to.not.contain(ada.userId);
    });

    for (const [query, fields] of [
        ['?limit=101', ['limit']],
        ['?order=up', ['order']],
        ['?type=gift', ['type']],
        ['?userId=ada', ['userId']],
        ['?threadId=x&vmId=y', ['threadId', 'vmId']],
        ['?from=yesterday', ['from']],
        ['?from=1960-01-01&to=12', ['from', 'to']],
        ['?tenantId=x', ['tenantId']],
    ] as const) {
        it(`refuses ${query}`, async () => {
            expectFaults(await ada.call('GET', ROUTE + query), [...fields]);
        });
    }
});

describe('HistoryStore', () => {
    let test: TestStore;

    before(async () => {
        test = await openStore();
    });

    after(() => test.close());

    const users = ['user_ada', 'user_ad', 'user_bob'];
    const threads = ['thread_1', 'thread_2'];

    /** A ledger in which each filter finds some. */
    const fill = async () => {
        await test.setTime(NOON);
        const account = await newAccount(test, dollars(5));
        for (let n = 0; n < 60; n++) {
            await test.setTime(NOON + Math.floor(n / 3) * 1_000);
            const type: EntryType = n % 7 === 0 ? 'tunnel_usage' : 'model_usage';
            const payer = { tenantId: account.tenantId, userId: users[n % 3] ?? '' };
            const threadId = threads[n % 2] ?? '';
            const fields = { threadId, modelId: `model-${n % 5}` };
            const entry = { type, fields, index: [`thread:${threadId}`] };
            await account.store.charge(account.tenantId, scriptCharge(`charge ${n}`, payer, 1n, entry));
        }
        return account.tenantId;
    };

    const walk = async (store: HistoryStore, tenantId: string, order: 'asc' | 'desc', filter: HistoryFilter) => {
        const ids: string[] = [];
        let cursor: string | undefined;
        let pages = 0;
        do {
            const page = await store.page(tenantId, { ...filter, limit: 4, order, ...(cursor && { cursor }) });
            expect(page.records.length).to.be.at.most(4);
            ids.push(...page.records.map(({ id }) => id));
            cursor = page.pagination.cursor ?? undefined;
            pages++;
        } while (cursor !== undefined);
        return { ids, pages };
    };

    it('finds what all of its filters fit, each once and in order, on pages that look at few', async () => {
        const tenantId = await fill();
        const all = await new HistoryStore(test.store, test.vault).page(tenantId, { limit: 100, order: 'asc' });
        expect(all.records).to.have.length(61);
        const [from, to] = [new Date(NOON + 4_000), new Date(NOON + 15_000)];
        const filters: HistoryFilter[] = [
            {},
            { type: 'tunnel_usage' },
            { userId: 'user_ad' },
            { userId: 'user_ada', threadId: 'thread_1' },
            { modelId: 'model-3' },
            { modelId: 'model-3', userId: 'user_bob', type: 'model_usage' },
            { from },
            { to },
            { from, to, threadId: 'thread_2' },
            { from, to, userId: 'user_ada', modelId: 'model-0' },
            { from: to, to: from },
            { vmId: 'vm_none' },
        ];
        const few = new HistoryStore(test.store, test.vault, 5);
        for (const filter of filters) {
            const { from: since, to: until, ...match } = filter;
            const fitting = all.records.filter(
                (record) =>
                    Object.entries(match).every(([name, value]) => record[name as keyof LedgerRecord] === value) &&
                    (!since || record.createdAt >= since.toISOString()) &&
                    (!until || record.createdAt < until.toISOString()),
            );
            const ids = fitting.map(({ id }) => id);
            const name = JSON.stringify(filter);
            expect((await walk(few, tenantId, 'asc', filter)).ids, name).to.equal(ids);
            expect((await walk(few, tenantId, 'desc', filter)).ids, name).to.equal(ids.toReversed());
        }
        // Nothing that fits, and still no page looks at more than its five.
        const { ids, pages } = await walk(few, tenantId, 'desc', { modelId: 'none' });
        expect([ids, pages]).to.equal([[], 13]);
    });

    it('takes the filter that finds fewest', async () => {
        const tenantId = await fill();
        const store = new HistoryStore(test.store, test.vault, 9);
        // 9 of tunnels among 60: all are looked at on one page.
        const query = { type: 'tunnel_usage', threadId: 'thread_1', limit: 20, order: 'desc' } as const;
        const { records, pagination } = await store.page(tenantId, query);
        expect([records.length, pagination.hasMore]).to.equal([5, false]);
        await test.redis.del(`${tenantKey(tenantId, 'credits')}:index`);
        expect((await store.page(tenantId, query)).records).to.equal([]);
    });
});
