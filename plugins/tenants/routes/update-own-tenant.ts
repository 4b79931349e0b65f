import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { ownTenantAnswer, ownTenantExample, updateOwnTenantPayload } from '../own-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { OwnTenantChanges, OwnTenantService } from '../own-service.ts';

const NOTES = `What is left out stays as it is. The settings hold for messages from the next request on, on every server,
where the request says nothing itself.`;

export const updateOwnTenant = (tenants: OwnTenantService): ServerRoute<{ Payload: OwnTenantChanges }> => ({
    method: 'PATCH',
    path: '/api/tenant',
    options: {
        ...describeRoute('Change your tenant', {
            tag: 'tenant',
            notes: NOTES,
            answer: ownTenantAnswer,
            example: { tenant: ownTenantExample },
            errors: ['MODEL_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'settings:write' } },
        validate: { payload: updateOwnTenantPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, payload, headers }, h) => {
        const tenant = await tenants.update(auth.credentials.actor, payload, revisionOf(headers));
        return h.response({ tenant }).etag(etagOf(tenant));
    },
});
