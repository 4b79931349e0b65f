import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { WITH_WELCOME, charge, expectSound, newCashier, readCredits, type Cashier } from '../../helpers/billing.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/billing/credits';
/** What a new tenant begins with. */
const WELCOME = 5_000_000;

describe(`GET ${ROUTE}`, () => {
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;

    before(async () => {
        [app, other] = await startReplicas(WITH_WELCOME);
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => Promise.all([app.stop(), other.stop()]));

    it('tells balance, what is held, what is available and what was spent, in micro-dollars and in dollars', async () => {
        await charge(app, ada, 50_000n);
        await app.redis.hset(tenantKey(ada.tenantId, 'credits:held'), 'tenant', '20000');
        expect(await readCredits(ada)).to.equal({
            balanceMicros: 4_950_000,
            balance: '4.950000',
            heldMicros: 20_000,
            held: '0.020000',
            availableMicros: 4_930_000,
            available: '4.930000',
            spentMicros: 50_000,
            spent: '0.050000',
            lowCreditMicros: 1_000_000,
            lowCredit: '1.000000',
        });
    });

    it('is for admins, and API keys with billing:read', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        expectError(await bob.call('GET', ROUTE), 'FORBIDDEN');
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
        const key = await newKey(ada, { scopes: ['billing:read'] });
        const wrong = await newKey(ada, { scopes: ['thread:read'] });
        expect((await app.call('GET', ROUTE, { token: key.secret })).body.data.credits.balanceMicros).to.equal(WELCOME);
        expectError(await app.call('GET', ROUTE, { token: wrong.secret }), 'FORBIDDEN');
    });
});

describe(`POST ${ROUTE}`, () => {
    let app: TestApp;
    let other: TestApp;
    let cashier: Cashier;
    let ada: TestTenant;

    before(async () => {
        [app, other] = await startReplicas(WITH_WELCOME);
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        cashier = await newCashier(app);
    });

    after(() => Promise.all([app.stop(), other.stop()]));

    const forgetAnswers = async () => {
        const keys = await app.redis.keys(tenantKey('platform', 'idempotency', '*'));
        if (keys.length > 0) await app.redis.del(keys);
    };
    const balance = async () => (await readCredits(ada)).balanceMicros;

    it('adds credit, and answers with the record and the credits', async () => {
        const answer = await cashier.grant(ada.tenantId, 2_500_000, undefined, 'Prepaid');
        expect(answer.status, answer.text).to.equal(201);
        const { record, credits } = answer.body.data;
        expect(record).to.include({
            type: 'credit_add',
            amountMicros: 2_500_000,
            amount: '2.500000',
            balanceMicros: WELCOME + 2_500_000,
            reason: 'Prepaid',
            userId: null,
        });
        expect(record.id).to.match(/^bill_/);
        expect(credits).to.equal(await readCredits(ada));
        expect(credits.balanceMicros).to.equal(7_500_000);
        await expectSound(app.redis, ada.tenantId);
    });

    it('takes what is free, and no more', async () => {
        const { body } = await cashier.grant(ada.tenantId, -1_500_000);
        expect(body.data.record).to.include({ type: 'credit_deduct', amountMicros: -1_500_000, amount: '-1.500000' });
        await app.redis.hset(tenantKey(ada.tenantId, 'credits:held'), 'tenant', '500000');
        const refused = expectError(await cashier.grant(ada.tenantId, -3_000_001), 'INSUFFICIENT_CREDITS');
        expect(refused.details).to.equal({ availableMicros: 3_000_000 });
        expect((await cashier.grant(ada.tenantId, -3_000_000)).status).to.equal(201);
        expect(await balance()).to.equal(500_000);
    });

    it('keeps to what one grant may add or take, and to what a balance may be', async () => {
        for (const amount of [0, 1_000_000_001, -1_000_000_001, 0.5]) {
            expectFaults(await cashier.grant(ada.tenantId, amount), ['amountMicros']);
        }
        await Promise.all(Array.from({ length: 12 }, () => cashier.grant(ada.tenantId, 1_000_000_000)));
        expect(await balance()).to.equal(9_005_000_000);
        const refused = expectError(await cashier.grant(ada.tenantId, 995_000_001), 'BALANCE_LIMIT');
        expect(refused.details).to.equal({ balanceMicros: 9_005_000_000 });
        expect((await cashier.grant(ada.tenantId, 995_000_000)).body.data.credits.balance).to.equal('10000.000000');
    });

    it('needs an Idempotency-Key', async () => {
        const payload = { tenantId: ada.tenantId, amountMicros: 1, reason: 'A gift' };
        const { token } = cashier;
        expectFaults(await app.call('POST', ROUTE, { token, payload }), ['idempotency-key']);
        const headers = { 'idempotency-key': '' };
        expectFaults(await app.call('POST', ROUTE, { token, payload, headers }), ['idempotency-key']);
        expect(await balance()).to.equal(WELCOME);
    });

    it('refuses a body that is not whole', async () => {
        const { token } = cashier;
        const send = (payload: object) => app.call('POST', ROUTE, { token, payload });
        expectFaults(await send({}), ['tenantId', 'amountMicros', 'reason']);
        const good = { tenantId: ada.tenantId, amountMicros: 1, reason: 'A gift' };
        expectFaults(await send({ ...good, reason: ' ' }), ['reason']);
        expectFaults(await send({ ...good, reason: 'a'.repeat(501) }), ['reason']);
        expectFaults(await send({ ...good, currency: 'USD' }), ['currency']);
        expectFaults(await send({ ...good, tenantId: 'nobody' }), ['tenantId']);
    });

    it('knows no tenant that is not there, and none that is deleted', async () => {
        expectError(await cashier.grant('tenant_00000000000000000000000000', 1), 'TENANT_NOT_FOUND');
        await app.call('DELETE', `/api/admin/tenants/${ada.tenantId}`, { token: cashier.token });
        expectError(await cashier.grant(ada.tenantId, 1), 'ALREADY_DELETED');
        expect(await app.redis.exists(tenantKey('tenant_00000000000000000000000000', 'credits'))).to.equal(0);
    });

    it('is for finance and superadmins of the platform', async () => {
        const finance = await newCashier(app, (await newUser(app, 'platform', 'finance')).accessToken);
        expect((await finance.grant(ada.tenantId, 1)).status).to.equal(201);
        const support = await newCashier(app, (await newUser(app, 'platform', 'support')).accessToken);
        expectError(await support.grant(ada.tenantId, 1), 'FORBIDDEN');
        const admin = await newCashier(app, ada.accessToken);
        expectError(await admin.grant(ada.tenantId, 1), 'FORBIDDEN');
        expectError(await app.call('POST', ROUTE), 'UNAUTHENTICATED');
        expect(await balance()).to.equal(WELCOME + 1);
    });

    it('moves money once for a key, by however many at once and on whatever replica', async () => {
        const replicas = await Promise.all([app, other].map((one) => newCashier(one, cashier.token)));
        const send = () => replicas.map((one) => one.grant(ada.tenantId, 1_000_000, 'one key'));
        const answers = await Promise.all(Array.from({ length: 10 }, send).flat());
        for (const answer of answers) if (answer.status !== 201) expectError(answer, 'IDEMPOTENCY_IN_PROGRESS');
        expect(await balance()).to.equal(WELCOME + 1_000_000);
    });

    it('moves it once also when the answer is not remembered any more', async () => {
        const first = await cashier.grant(ada.tenantId, 1_000_000, 'a key');
        await forgetAnswers();
        await app.advance(60_000);
        const again = await cashier.grant(ada.tenantId, 1_000_000, 'a key');
        expect([again.status, again.body.data.record]).to.equal([201, first.body.data.record]);
        await forgetAnswers();
        expectError(await cashier.grant(ada.tenantId, 2_000_000, 'a key'), 'IDEMPOTENCY_KEY_REUSED');
        await forgetAnswers();
        const races = Array.from({ length: 10 }, async () => {
            await forgetAnswers();
            return cashier.grant(ada.tenantId, 3_000_000, 'a key of many');
        });
        await Promise.all(races);
        expect(await balance()).to.equal(WELCOME + 4_000_000);
        // The same key of somebody else is another one.
        const finance = await newCashier(app, (await newUser(app, 'platform', 'finance')).accessToken);
        expect((await finance.grant(ada.tenantId, 1_000_000, 'a key')).status).to.equal(201);
        expect(await balance()).to.equal(WELCOME + 5_000_000);
    });

    it('is told in the audit of the tenant and in that of the platform', async () => {
        const { body } = await cashier.grant(ada.tenantId, 1_000_000);
        const entriesOf = async (tenantId: string, requestId: string) => {
            const entries = (await readAudit(app, tenantId)).filter((one) => one.correlationId === requestId);
            return entries.map(({ action, result, details }) => [action, result, JSON.parse(details ?? '')]);
        };
        const details = { amountMicros: 1_000_000, reason: 'A gift' };
        const done = ['billing.credit', 'success', details];
        expect(await entriesOf(ada.tenantId, body.requestId)).to.equal([done]);
        const both = [['billing.credit', 'intended', details], done];
        expect(await entriesOf('platform', body.requestId)).to.equal(both);
        const refused = await cashier.grant(ada.tenantId, -1_000_000_000);
        const results = (await entriesOf('platform', refused.body.requestId)).map(([, result]) => result);
        expect(results).to.equal(['intended', 'INSUFFICIENT_CREDITS']);
        expect(await entriesOf(ada.tenantId, refused.body.requestId)).to.equal([]);
    });

    it('adds to the credits of the platform itself', async () => {
        const platform = { call: (method: string, url: string) => app.call(method, url, { token: cashier.token }) };
        // Other tests share it.
        const { body } = await cashier.grant('platform', 7);
        expect(body.data.record).to.include({ type: 'credit_add', amountMicros: 7 });
        expect(Number((await readCredits(platform)).balanceMicros)).to.be.at.least(7);
    });
});
