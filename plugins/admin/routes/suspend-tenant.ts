import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantExample, type TenantService } from '../../tenants/api.ts';
import { suspendTenantPayload, tenantAnswer, tenantParams, type SuspendTenant, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

export const suspendTenant = (
    tenants: TenantService,
): ServerRoute<{ Params: TenantParams; Payload: SuspendTenant }> => ({
    method: 'POST',
    path: '/api/admin/tenants/{tenantId}/suspend',
    options: {
        ...describeRoute('Suspend a tenant', {
            tag: 'admin',
            notes: 'Every request of its users is refused from now on; nothing is deleted.',
            answer: tenantAnswer,
            example: { tenant: { ...tenantExample, status: 'suspended', suspendedReason: 'Payment overdue' } },
            errors: ['TENANT_NOT_FOUND', 'ALREADY_DELETED'],
        }),
        auth: { access: { scope: 'tenant:suspend' } },
        validate: { params: tenantParams, payload: suspendTenantPayload },
    },
    handler: async ({ params, payload, auth }) => ({
        tenant: await tenants.suspend(auth.credentials.actor, params.tenantId, payload.reason),
    }),
});
