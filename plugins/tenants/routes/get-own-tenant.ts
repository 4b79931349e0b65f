import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { ownTenantAnswer, ownTenantExample } from '../own-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { OwnTenantService } from '../own-service.ts';

export const getOwnTenant = (tenants: OwnTenantService): ServerRoute => ({
    method: 'GET',
    path: '/api/tenant',
    options: {
        ...describeRoute('Show your tenant', {
            tag: 'tenant',
            answer: ownTenantAnswer,
            example: { tenant: ownTenantExample },
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'profile:read' } },
    },
    handler: async ({ auth }, h) => {
        const tenant = await tenants.get(auth.credentials.actor);
        return h.response({ tenant }).etag(etagOf(tenant));
    },
});
