import { describeRoute } from '../../../src/http/describe-route.ts';
import { deletedTenantExample, tenantAnswer, tenantParams, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TenantService } from '../../tenants/api.ts';

export const deleteTenant = (tenants: TenantService): ServerRoute<{ Params: TenantParams }> => ({
    method: 'DELETE',
    path: '/api/admin/tenants/{tenantId}',
    options: {
        ...describeRoute('Delete a tenant', {
            tag: 'admin',
            notes: 'Its users are refused as those of a suspended tenant. It can be restored within 30 days; then everything of it is removed for good.',
            answer: tenantAnswer,
            example: { tenant: deletedTenantExample },
            errors: ['TENANT_NOT_FOUND', 'ALREADY_DELETED'],
        }),
        auth: { access: { scope: 'tenant:write' } },
        validate: { params: tenantParams },
    },
    handler: async ({ params, auth }) => ({
        tenant: await tenants.remove(auth.credentials.actor, params.tenantId),
    }),
});
