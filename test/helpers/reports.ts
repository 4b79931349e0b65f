import { tenantKey } from '../../src/redis/keys.ts';

import type { Answer, TestApp } from './app.ts';

/** The platform's sums of a period; without `of`, what is known of tenants. */
export const sumsOf = (app: TestApp, period: string): Promise<Record<string, string>> =>
    app.redis.hgetall(tenantKey('platform', 'reports', period));

/** Has all tenants due, whenever they were looked at last, and rolls up. */
export async function rollUp(app: TestApp): Promise<void> {
    await app.server.plugins.reports.flush();
    const due = tenantKey('platform', 'report-tenants');
    const found = await app.redis.zrange(due, '0', '-1');
    if (found.length > 0) await app.redis.zadd(due, 'XX', ...found.flatMap((id) => ['1', id]));
    await app.server.plugins.reports.rollUp();
}

/** What a platform admin is told. @param path After `/api/admin/` */
export async function readReport(app: TestApp, token: string, path: string): Promise<Answer['body']> {
    const { status, body, text } = await app.call('GET', `/api/admin/${path}`, { token });
    if (status !== 200) throw new Error(`No report: ${text}`);
    return path.startsWith('dashboard') ? body.data.dashboard : body.data.report;
}

/** What the ledger of a tenant has taken, whatever the sums say. */
export async function ledgerSum(app: TestApp, tenantId: string): Promise<number> {
    const entries = await app.redis.xrange(`${tenantKey(tenantId, 'credits')}:ledger`, '-', '+');
    return entries.reduce((all, [, flat]) => {
        const field = (name: string) => flat[flat.indexOf(name) + 1] ?? '';
        return ['credit_add', 'credit_deduct', 'refund'].includes(field('type')) ? all : all - Number(field('amount'));
    }, 0);
}
