import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { tenantExample, type TenantService } from '../../tenants/api.ts';
import { tenantAnswer, tenantParams, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

export const getTenant = (tenants: TenantService): ServerRoute<{ Params: TenantParams }> => ({
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
    handler: async ({ params }, h) => {
        const tenant = await tenants.get(params.tenantId);
        return h.response({ tenant }).etag(etagOf(tenant));
    },
});
