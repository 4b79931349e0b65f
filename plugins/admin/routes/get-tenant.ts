import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { tenantExample } from '../../tenants/api.ts';
import { tenantAnswer, tenantParams, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AdminService } from '../api.ts';

export const getTenant = (admins: AdminService): ServerRoute<{ Params: TenantParams }> => ({
    method: 'GET',
    path: '/api/admin/tenants/{tenantId}',
    options: {
        ...describeRoute('Show a tenant', {
            tag: 'admin',
            answer: tenantAnswer,
            example: { tenant: tenantExample },
            errors: ['TENANT_NOT_FOUND'],
        }),
        auth: { access: { scope: 'tenant:read' } },
        validate: { params: tenantParams },
    },
    handler: async ({ auth, params }, h) => {
        const tenant = await admins.getTenant(auth.credentials.actor, params.tenantId);
        return h.response({ tenant }).etag(etagOf(tenant));
    },
});
