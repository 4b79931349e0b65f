import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { charge, expectSound, newCashier } from '../../helpers/billing.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startAt } from '../../helpers/moved-clock.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { Invoice } from '../../../plugins/billing/invoice-service.ts';
import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/billing/invoices';
const VM = 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

/** What must hold of any invoice: opening and movements come to closing, by lines as by sums. */
function expectWhole(invoice: Invoice): void {
    const moved = invoice.lines.reduce((all, { amountMicros }) => all + amountMicros, 0);
    expect(invoice.openingMicros + moved, 'opening and lines are closing').to.equal(invoice.closingMicros);
    const { openingMicros, addedMicros, deductedMicros, refundedMicros, chargedMicros, totalMicros } = invoice;
    const sum = openingMicros + addedMicros - deductedMicros + refundedMicros - chargedMicros;
    expect(sum, 'opening and sums are closing').to.equal(invoice.closingMicros);
    expect(totalMicros).to.equal(chargedMicros - refundedMicros);
    const items = invoice.items.reduce((all, { spentMicros }) => all + spentMicros, 0);
    expect(items, 'the items are the charges').to.equal(chargedMicros);
}

describe('invoices', () => {
    let app: TestApp;
    let to: (time: string) => Promise<void>;
    let ada: TestTenant;

    before(async () => {
        ({ app, to } = await startAt('2030-01-10T12:00:00Z'));
    });

    beforeEach(async () => {
        await to('2030-01-10T12:00:00Z');
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const read = async (month: string, user: Pick<TestTenant, 'call'> = ada): Promise<Invoice> => {
        const { body, text } = await user.call('GET', `${ROUTE}/${month}`);
        if (!body?.data) throw new Error(text);
        expectWhole(body.data.invoice);
        return body.data.invoice;
    };
    const list = async (query = '') => (await ada.call('GET', ROUTE + query)).body;

    describe(`GET ${ROUTE}/{month}`, () => {
        it('shows the month that is open, without a number', async () => {
            await charge(app, ada, 70_000n, { modelId: 'claude-opus' });
            const invoice = await read('2030-01');
            expect(invoice).to.include({
                number: null,
                month: '2030-01',
                status: 'open',
                issuedAt: null,
                tenantName: 'Test',
                openingMicros: 0,
                addedMicros: 5_000_000,
                chargedMicros: 70_000,
                closingMicros: 4_930_000,
                closing: '4.930000',
            });
            expect(await list()).to.include({ pagination: { cursor: null, limit: 12, hasMore: false, totalCount: 0 } });
        });

        it('has all that moved in a month that is over, and closes on what the next one opens with', async () => {
            const cashier = await newCashier(app);
            await charge(app, ada, 70_000n, { modelId: 'claude-opus' });
            await charge(app, ada, 30_000n, { modelId: 'gemma:2b' });
            await charge(app, ada, 20_000n, { vmId: VM, type: 'vm_running' });
            const recordId = await charge(app, ada, 40_000n, { modelId: 'gemma:2b' });
            await cashier.refund({ tenantId: ada.tenantId, recordId, amountMicros: 15_000 });
            await cashier.grant(ada.tenantId, 1_000_000);
            await cashier.grant(ada.tenantId, -300_000);
            await to('2030-02-03T09:00:00Z');
            await charge(app, ada, 500n);
            const january = await read('2030-01');
            expect(january).to.include({
                number: 1,
                status: 'closed',
                openingMicros: 0,
                addedMicros: 6_000_000,
                deductedMicros: 300_000,
                refundedMicros: 15_000,
                chargedMicros: 160_000,
                totalMicros: 145_000,
                closingMicros: 5_555_000,
            });
            expect(january.issuedAt).to.match(/^2030-02-03T09:/);
            const items = january.items.map(({ kind, id, calls, spentMicros }) => [kind, id, calls, spentMicros]);
            expect(items).to.equal([
                ['model', 'claude-opus', 1, 70_000],
                ['model', 'gemma:2b', 2, 70_000],
                ['vm', VM, 0, 20_000],
            ]);
            expect(await read('2030-02')).to.include({ status: 'open', openingMicros: 5_555_000, chargedMicros: 500 });
            await expectSound(app.redis, ada.tenantId);
        });

        it('is closed by whoever reads it first, once, and never changes', async () => {
            await charge(app, ada, 70_000n);
            await to('2030-02-01T00:00:01Z');
            const all = await Promise.all(Array.from({ length: 10 }, () => read('2030-01')));
            const [first] = all as [Invoice];
            expect(first).to.include({ number: 1, closingMicros: 4_930_000 });
            for (const other of all) expect(other).to.equal(first);
            // A clock that was set back brings nothing into it either.
            await to('2030-01-31T23:59:00Z');
            await charge(app, ada, 2_000n);
            await app.redis.hset(tenantKey(ada.tenantId, 'info'), 'name', 'Renamed');
            await to('2030-02-02T00:00:00Z');
            expect(await read('2030-01')).to.equal(first);
            expect(await read('2030-02')).to.include({ chargedMicros: 2_000, tenantName: 'Renamed' });
        });

        it('has none of a month without a movement, of one to come, and of one before there was a tenant', async () => {
            await to('2030-04-10T00:00:00Z');
            for (const month of ['2030-02', '2030-03', '2030-05', '2029-12']) {
                expectError(await ada.call('GET', `${ROUTE}/${month}`), 'INVOICE_NOT_FOUND');
            }
            expect(await read('2030-01')).to.include({ number: 1, closingMicros: 5_000_000 });
            const [opening, closing] = [{ openingMicros: 5_000_000 }, { closingMicros: 5_000_000 }];
            expect(await read('2030-04')).to.include({ status: 'open', number: null, ...opening, ...closing });
        });

        it('is a table in CSV where that is asked for', async () => {
            await app.redis.hset(tenantKey(ada.tenantId, 'info'), 'name', '=1+1, "Acme"');
            await charge(app, ada, 70_000n, { modelId: '@model' });
            const recordId = await charge(app, ada, 1n, { modelId: '@model' });
            await (await newCashier(app)).refund({ tenantId: ada.tenantId, recordId });
            await to('2030-02-01T00:00:01Z');
            const { status, headers, text } = await ada.call('GET', `${ROUTE}/2030-01?format=csv`);
            expect(status).to.equal(200);
            expect(headers['content-type']).to.equal('text/csv; charset=utf-8');
            expect(headers['content-disposition']).to.equal('attachment; filename="invoice-2030-01.csv"');
            const place = `1,2030-01,closed,"'=1+1, ""Acme"""`;
            expect(text.split('\r\n')).to.equal([
                'invoice,month,status,tenant,line,name,calls,inputTokens,outputTokens,minutes,bytes,amountMicros,amount',
                `${place},opening,,,,,,,0,0.000000`,
                `${place},type,model_usage,,,,,,-70001,-0.070001`,
                `${place},type,credit_add,,,,,,5000000,5.000000`,
                `${place},type,refund,,,,,,1,0.000001`,
                `${place},model,'@model,2,20,0,0,0,70001,0.070001`,
                `${place},total,,,,,,,70000,0.070000`,
                `${place},closing,,,,,,,4930000,4.930000`,
                '',
            ]);
        });

        it('is refused where month or format is none', async () => {
            for (const month of ['2030-13', '2030-1', '203001', 'now']) {
                expectFaults(await ada.call('GET', `${ROUTE}/${month}`), ['month']);
            }
            expectFaults(await ada.call('GET', `${ROUTE}/2030-01?format=pdf`), ['format']);
        });
    });

    describe(`GET ${ROUTE}`, () => {
        it('lists the closed months, the newest first, numbered without a gap', async () => {
            // Nothing moves in March.
            for (const month of ['02', '04', '05']) {
                await to(`2030-${month}-15T12:00:00Z`);
                await charge(app, ada, 1_000n);
            }
            await to('2030-06-01T00:00:00Z');
            const { data, pagination } = await list('?limit=3');
            const headOf = ({ month, number }: Invoice) => [month, number];
            expect(data.invoices.map(headOf)).to.equal([
                ['2030-05', 4],
                ['2030-04', 3],
                ['2030-02', 2],
            ]);
            expect(data.invoices[0]).to.include({ status: 'closed', chargedMicros: 1_000, closingMicros: 4_997_000 });
            expect(pagination).to.include({ hasMore: true, totalCount: 4 });
            const next = await list(`?limit=3&cursor=${pagination.cursor}`);
            expect(next.data.invoices.map(headOf)).to.equal([['2030-01', 1]]);
            expect(next.pagination).to.include({ hasMore: false, cursor: null });
            const eve = await newTenant(app);
            expectError(await eve.call('GET', `${ROUTE}?cursor=${pagination.cursor}`), 'INVALID_CURSOR');
            expectFaults(await ada.call('GET', `${ROUTE}?limit=0&order=asc`), ['limit', 'order']);
        });

        it('is for admins of the tenant, and of nobody else', async () => {
            await charge(app, ada, 1_000n);
            await to('2030-02-01T00:00:01Z');
            const bob = await newUser(app, ada.tenantId, 'user');
            const eve = await newTenant(app);
            for (const route of [ROUTE, `${ROUTE}/2030-01`]) {
                expectError(await bob.call('GET', route), 'FORBIDDEN');
                expectError(await app.call('GET', route), 'UNAUTHENTICATED');
            }
            expect((await eve.call('GET', ROUTE)).body.data.invoices).to.equal([]);
            expectError(await eve.call('GET', `${ROUTE}/2030-01`), 'INVOICE_NOT_FOUND');
        });
    });
});
