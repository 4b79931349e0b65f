import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantExample, type TenantService } from '../../tenants/api.ts';
import { tenantAnswer, tenantParams, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

export const activateTenant = (tenants: TenantService): ServerRoute<{ Params: TenantParams }> => ({
    method: 'POST',
    path: '/api/admin/tenants/{tenantId}/activate',
    options: {
        ...describeRoute('Activate a suspended tenant', {
            tag: 'admin',
            answer: tenantAnswer,
            example: { tenant: tenantExample },
            errors: ['TENANT_NOT_FOUND', 'ALREADY_DELETED'],
        }),
        auth: { access: { scope: 'tenant:suspend' } },
        validate: { params: tenantParams },
    },
    handler: async ({ params, auth }) => ({
        tenant: await tenants.activate(auth.credentials.actor, params.tenantId),
    }),
});
