import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newId } from '../../../src/ids.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { WITH_WELCOME, charge, expectSound, newCashier, readCredits, type Cashier } from '../../helpers/billing.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/billing/refunds';

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

    const balance = async () => (await readCredits(ada)).balanceMicros;

    it('gives a charge back in full, and shows it where the charge is', async () => {
        const threadId = newId('thread');
        const recordId = await charge(app, ada, 2_000_000n, { threadId });
        const { status, body, text } = await cashier.refund({ tenantId: ada.tenantId, recordId });
        expect(status, text).to.equal(201);
        expect(body.data.record).to.include({
            type: 'refund',
            amountMicros: 2_000_000,
            refundOf: recordId,
            reason: 'Broken',
            userId: ada.userId,
            modelId: 'sandbox',
            threadId,
        });
        // What was spent stays what it was: limits of the month are not for refunds to lift.
        expect(body.data.credits).to.include({ balanceMicros: 5_000_000, spentMicros: 2_000_000 });
        const history = await ada.call('GET', `/api/billing/history?threadId=${threadId}`);
        expect(history.body.data.records.map(({ type }: { type: string }) => type)).to.equal(['refund', 'model_usage']);
        await expectSound(app.redis, ada.tenantId);
    });

    it('gives it back in parts, all together no more than it was', async () => {
        const recordId = await charge(app, ada, 1_000_000n);
        const refund = (amountMicros?: number) =>
            cashier.refund({ tenantId: ada.tenantId, recordId, ...(amountMicros !== undefined && { amountMicros }) });
        expect((await refund(400_000)).status).to.equal(201);
        const refused = expectError(await refund(600_001), 'NOT_REFUNDABLE');
        expect(refused.details).to.equal({ refundableMicros: 600_000 });
        expect((await refund()).body.data.record.amountMicros).to.equal(600_000);
        expect(expectError(await refund(), 'NOT_REFUNDABLE').details).to.equal({ refundableMicros: 0 });
        expectError(await refund(1), 'NOT_REFUNDABLE');
        expect(await balance()).to.equal(5_000_000);
    });

    it('never gives back more than was charged, by however many at once', async () => {
        const recordId = await charge(app, ada, 1_000_000n);
        const replicas = await Promise.all([app, other].map((one) => newCashier(one, cashier.token)));
        const send = () =>
            replicas.map((one) => one.refund({ tenantId: ada.tenantId, recordId, amountMicros: 150_000 }));
        const answers = await Promise.all(Array.from({ length: 8 }, send).flat());
        expect(answers.filter(({ status }) => status === 201)).to.have.length(6);
        for (const answer of answers) if (answer.status !== 201) expectError(answer, 'NOT_REFUNDABLE');
        expect(await balance()).to.equal(4_900_000);
        await expectSound(app.redis, ada.tenantId);
    });

    it('does it once for a key, also when the answer is not remembered any more', async () => {
        const recordId = await charge(app, ada, 1_000_000n);
        const payload = { tenantId: ada.tenantId, recordId, amountMicros: 300_000 };
        const first = await cashier.refund(payload, 'a refund');
        const forget = async () => app.redis.del(await app.redis.keys(tenantKey('platform', 'idempotency', '*')));
        await forget();
        const again = await cashier.refund(payload, 'a refund');
        expect([again.status, again.body.data.record]).to.equal([201, first.body.data.record]);
        await forget();
        expectError(await cashier.refund({ ...payload, amountMicros: 1 }, 'a refund'), 'IDEMPOTENCY_KEY_REUSED');
        expect(await balance()).to.equal(4_300_000);
    });

    it('finds a record long after, and in a ledger with a later one of the same moment', async () => {
        const first = await charge(app, ada, 1_000n);
        await charge(app, ada, 2_000n);
        await app.advance(20 * 24 * 3600 * 1000);
        const fresh = await newCashier(app);
        const { body } = await fresh.refund({ tenantId: ada.tenantId, recordId: first });
        expect(body.data.record.amountMicros).to.equal(1_000);
    });

    it('gives back charges only', async () => {
        const gift = await cashier.grant(ada.tenantId, 1_000);
        const taken = await cashier.grant(ada.tenantId, -1_000);
        const recordId = await charge(app, ada, 1_000n);
        const refund = await cashier.refund({ tenantId: ada.tenantId, recordId });
        for (const { body } of [gift, taken, refund]) {
            const answer = await cashier.refund({ tenantId: ada.tenantId, recordId: body.data.record.id });
            expectError(answer, 'NOT_REFUNDABLE');
        }
        expect(await balance()).to.equal(5_000_000);
    });

    it('knows no record that is not there, of another tenant or of no tenant', async () => {
        const eve = await newTenant(app);
        const foreign = await charge(app, eve, 1_000n);
        const { tenantId } = ada;
        for (const recordId of [newId('bill'), foreign]) {
            expectError(await cashier.refund({ tenantId, recordId }), 'BILLING_RECORD_NOT_FOUND');
        }
        const nobody = 'tenant_00000000000000000000000000';
        expectError(await cashier.refund({ tenantId: nobody, recordId: foreign }), 'TENANT_NOT_FOUND');
    });

    it('needs an Idempotency-Key and a whole body', async () => {
        const { token } = cashier;
        const send = (payload: object) => app.call('POST', ROUTE, { token, payload });
        expectFaults(await send({}), ['tenantId', 'recordId', 'reason']);
        const good = { tenantId: ada.tenantId, recordId: newId('bill'), reason: 'Broken' };
        expectFaults(await send({ ...good, amountMicros: 0 }), ['amountMicros']);
        expectFaults(await send({ ...good, amountMicros: -1 }), ['amountMicros']);
        expectFaults(await send({ ...good, all: true }), ['all']);
        expectFaults(await send(good), ['idempotency-key']);
    });

    it('is for finance and superadmins of the platform', async () => {
        const recordId = await charge(app, ada, 1_000n);
        const as = async (role: 'finance' | 'support') =>
            newCashier(app, (await newUser(app, 'platform', role)).accessToken);
        const payload = { tenantId: ada.tenantId, recordId, amountMicros: 1 };
        expectError(await (await as('support')).refund(payload), 'FORBIDDEN');
        expectError(await (await newCashier(app, ada.accessToken)).refund(payload), 'FORBIDDEN');
        expectError(await app.call('POST', ROUTE), 'UNAUTHENTICATED');
        expect((await (await as('finance')).refund(payload)).status).to.equal(201);
    });

    it('is told in the audit of the tenant and in that of the platform', async () => {
        const recordId = await charge(app, ada, 1_000n);
        const { body } = await cashier.refund({ tenantId: ada.tenantId, recordId });
        for (const [tenantId, results] of [
            [ada.tenantId, ['success']],
            ['platform', ['intended', 'success']],
        ] as const) {
            const entries = (await readAudit(app, tenantId)).filter((one) => one.correlationId === body.requestId);
            expect(entries.map(({ result }) => result)).to.equal([...results]);
            for (const { action, details } of entries) {
                expect([action, JSON.parse(details ?? '')]).to.equal([
                    'billing.refund',
                    { recordId, reason: 'Broken' },
                ]);
            }
        }
    });
});
