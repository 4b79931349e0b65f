import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantExample, type TenantService } from '../../tenants/api.ts';
import { tenantAnswer, tenantParams, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

export const restoreTenant = (tenants: TenantService): ServerRoute<{ Params: TenantParams }> => ({
    method: 'POST',
    path: '/api/admin/tenants/{tenantId}/restore',
    options: {
        ...describeRoute('Restore a deleted tenant', {
            tag: 'admin',
            notes: 'As it was before; its users have to log in again.',
            answer: tenantAnswer,
            example: { tenant: { ...tenantExample, revision: 3 } },
            errors: ['TENANT_NOT_FOUND', 'NOT_RESTORABLE'],
        }),
        auth: { access: { scope: 'tenant:write' } },
        validate: { params: tenantParams },
    },
    handler: async ({ params, auth }) => ({
        tenant: await tenants.restore(auth.credentials.actor, params.tenantId),
    }),
});
