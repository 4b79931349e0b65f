import { platformToken } from './tenant.ts';

import type { TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';

const nobody = { tenantId: 'tenant_00000000000000000000000000', userId: 'user_00000000000000000000000000' };

/** The routes of users of all tenants that take an Idempotency-Key: how each is called, and what the audit calls it. */
export const ACCOUNT_POSTS = [
    {
        name: 'post /api/admin/users/bulk',
        place: async (app: TestApp) => ({
            token: await platformToken(app),
            url: '/api/admin/users/bulk',
            auditedIn: 'platform',
        }),
        payload: ({ tenantId, userId }: TestTenant) => ({ action: 'activate', users: [{ tenantId, userId }] }),
        otherPayload: { action: 'activate', users: [nobody] },
        action: 'bulk.create',
        status: 202,
    },
];
