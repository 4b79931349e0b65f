import { tenantKey } from '../../src/redis/keys.ts';

import type { TestApp } from './app.ts';

export type AuditFields = Record<string, string>;

/** The audit entries of a tenant, oldest first. */
export async function readAudit(app: TestApp, tenantId: string): Promise<AuditFields[]> {
    const entries = await app.redis.xrange(tenantKey(tenantId, 'audit'), '-', '+');
    return entries.map(([, flat]) => {
        const pairs = Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', flat[2 * n + 1] ?? '']);
        return Object.fromEntries(pairs) as AuditFields;
    });
}
