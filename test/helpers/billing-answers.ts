import { platformToken, type TestTenant } from './tenant.ts';

import type { Answer, TestApp } from './app.ts';

const BILLING = '/api/billing';
const REPORTS = ['credits', 'history', 'usage-summary', 'cost-analysis', 'invoices', 'limits', 'prices'];

type Told = [method: string, path: string, answer: Answer];

/** Answers of every route of billing, good and bad, with the path that the document has them under. */
export async function* billingAnswers(app: TestApp, tenant: TestTenant): AsyncGenerator<Told> {
    for (const path of REPORTS.map((name) => `${BILLING}/${name}`)) {
        yield ['get', path, await tenant.call('GET', path)];
        yield ['get', path, await app.call('GET', path)];
    }
    for (const path of [`${BILLING}/history`, `${BILLING}/invoices`]) {
        yield ['get', path, await tenant.call('GET', `${path}?cursor=foreign`)];
    }
    const invoice = `${BILLING}/invoices/{month}`;
    const thisMonth = new Date().toISOString().slice(0, 7);
    for (const month of [thisMonth, `${thisMonth}?format=csv`, '2020-01', 'x']) {
        yield ['get', invoice, await tenant.call('GET', invoice.replace('{month}', month))];
    }
    const limits = `${BILLING}/limits`;
    const foreign = { users: { user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC: 1 } };
    for (const payload of [{ tenant: 1 }, {}, foreign]) {
        yield ['put', limits, await tenant.call('PUT', limits, { payload })];
    }
    const token = await platformToken(app);
    const post = async (path: string, payload: object, key?: string): Promise<Told> => {
        const headers = key === undefined ? {} : { 'idempotency-key': key };
        return ['post', path, await app.call('POST', path, { token, payload, headers })];
    };
    const { tenantId } = tenant;
    for (const [n, amountMicros] of [1_000_000, -1_000_000_000, 1_000_000_000].entries()) {
        yield post(`${BILLING}/credits`, { tenantId, amountMicros, reason: 'A gift' }, `${tenantId} ${n}`);
    }
    yield post(`${BILLING}/credits`, { tenantId, amountMicros: 0, reason: '' });
    yield ['post', `${BILLING}/credits`, await tenant.call('POST', `${BILLING}/credits`)];
    const refund = { tenantId, recordId: 'bill_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', reason: 'Broken' };
    yield post(`${BILLING}/refunds`, refund, tenantId);
    yield post(`${BILLING}/refunds`, refund);
    yield post(`${BILLING}/refunds`, {});
}
