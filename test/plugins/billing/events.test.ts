import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { WITH_WELCOME, charge, eventsOf, newCashier } from '../../helpers/billing.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('the events of billing', () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp(WITH_WELCOME);
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    describe('billing.low_credit', () => {
        const told = () => eventsOf(app, ada.tenantId, 'billing.low_credit');
        const setLow = (lowCreditMicros: number) =>
            ada.call('PUT', '/api/billing/limits', { payload: { lowCreditMicros } });

        it('is told once, and again after the balance was above', async () => {
            const cashier = await newCashier(app);
            await charge(app, ada, 4_000_000n);
            expect(await told()).to.equal([]);
            await charge(app, ada, 1n);
            await charge(app, ada, 1n);
            expect(await told()).to.equal([{ balanceMicros: 999_999, lowCreditMicros: 1_000_000 }]);
            await cashier.grant(ada.tenantId, 10);
            await charge(app, ada, 100n);
            expect(await told()).to.have.length(2);
        });

        it('is told once by many charges at once', async () => {
            await Promise.all(Array.from({ length: 20 }, () => charge(app, ada, 250_000n)));
            expect(await told()).to.have.length(1);
        });

        it('is told when the threshold is raised over the balance', async () => {
            await setLow(5_000_000);
            expect(await told()).to.equal([]);
            await setLow(5_000_001);
            await setLow(6_000_000);
            expect(await told()).to.equal([{ balanceMicros: 5_000_000, lowCreditMicros: 5_000_001 }]);
            await setLow(0);
            await charge(app, ada, 5_000_000n);
            expect(await told()).to.have.length(1);
        });
    });

    describe('what the platform does to credits', () => {
        const told = (type: string) => eventsOf(app, ada.tenantId, type);

        it('is told with its entry in the ledger, once, however large it is', async () => {
            const cashier = await newCashier(app);
            const granted = (await cashier.grant(ada.tenantId, 123_456_789)).body.data.record.id;
            const [welcome, added] = await told('billing.credits_added');
            expect(welcome).to.include({ amountMicros: 5_000_000 });
            expect(added).to.equal({ recordId: granted, amountMicros: 123_456_789 });
            await cashier.grant(ada.tenantId, -1_000_000);
            expect(await told('billing.credits_deducted')).to.have.length(1);
            expect((await told('billing.credits_deducted'))[0]).to.include({ amountMicros: -1_000_000 });
            const recordId = await charge(app, ada, 2_000_000n);
            for (let times = 0; times < 2; times++) await cashier.refund({ tenantId: ada.tenantId, recordId });
            expect(await told('billing.refunded')).to.have.length(1);
            expect((await told('billing.refunded'))[0]).to.include({ amountMicros: 2_000_000 });
            expect(await told('billing.credits_added')).to.have.length(2);
        });

        it('is told when limits of the month are set', async () => {
            await ada.call('PUT', '/api/billing/limits', { payload: { tenant: 1_000_000 } });
            expect(await told('billing.limits_updated')).to.equal([{ tenantId: ada.tenantId }]);
        });
    });

    describe('billing.invoice_issued', () => {
        const told = () => eventsOf(app, ada.tenantId, 'billing.invoice_issued');
        const credits = (...parts: string[]) => tenantKey(ada.tenantId, 'credits', ...parts);

        /** As if all that moved so far had been in some month before. */
        const age = async (month: string) => {
            const open = await app.redis.hget(credits(), 'month');
            await app.redis.rename(credits('month', String(open)), credits('month', month));
            await app.redis.hset(credits(), 'month', month);
        };

        for (const [by, act] of [
            ['the next movement', () => charge(app, ada, 1n)],
            ['who lists the invoices', () => ada.call('GET', '/api/billing/invoices')],
            ['who reads one', () => ada.call('GET', '/api/billing/invoices/2020-01')],
        ] as const) {
            it(`is told once, brought about by ${by}`, async () => {
                await age('202001');
                await Promise.all(Array.from({ length: 5 }, () => act()));
                expect(await told()).to.equal([{ month: '202001', number: 1 }]);
                const { body } = await ada.call('GET', '/api/billing/invoices/2020-01');
                expect(body.data.invoice).to.include({ number: 1, status: 'closed', closingMicros: 5_000_000 });
            });
        }
    });
});
