import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { tenantExample, type TenantChanges, type TenantService } from '../../tenants/api.ts';
import { tenantAnswer, tenantParams, updateTenantPayload, type TenantParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const NOTES = `What changes holds from the next request on. After another \`domain\` its users log in by the new one, and
the old one is free. A figure of \`limits\` goes before those of the tiers; null takes it away.`;

export const updateTenant = (
    tenants: TenantService,
): ServerRoute<{ Params: TenantParams; Payload: TenantChanges }> => ({
    method: 'PATCH',
    path: '/api/admin/tenants/{tenantId}',
    options: {
        ...describeRoute('Change a tenant', {
            tag: 'admin',
            notes: NOTES,
            answer: tenantAnswer,
            example: { tenant: { ...tenantExample, plan: 'premium', limits: { requestsPerMinute: 800 }, revision: 2 } },
            errors: ['TENANT_NOT_FOUND', 'ALREADY_DELETED', 'DOMAIN_TAKEN', 'REVISION_MISMATCH', 'SERVER_BUSY'],
        }),
        auth: { access: { scope: 'tenant:write' } },
        validate: { params: tenantParams, payload: updateTenantPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const tenant = await tenants.update(actor, params.tenantId, payload, revisionOf(headers));
        return h.response({ tenant }).etag(etagOf(tenant));
    },
});
