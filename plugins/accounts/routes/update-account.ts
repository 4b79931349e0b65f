import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    accountAnswer,
    accountExample,
    accountParams,
    updateAccountPayload,
    type AccountParams,
    type UpdateAccount,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Accounts } from '../service.ts';

export const updateAccount = (accounts: Accounts): ServerRoute<{ Params: AccountParams; Payload: UpdateAccount }> => ({
    method: 'PATCH',
    path: '/api/admin/tenants/{tenantId}/users/{userId}',
    options: {
        ...describeRoute('Change the tier of a user', {
            tag: 'admin',
            notes: 'It holds from the next request on.',
            answer: accountAnswer,
            example: { user: { ...accountExample, tier: 'premium', revision: 2 } },
            errors: ['TENANT_NOT_FOUND', 'USER_NOT_FOUND', 'ALREADY_DELETED', 'REVISION_MISMATCH'],
        }),
        auth: { access: { scope: 'account:write' } },
        validate: { params: accountParams, payload: updateAccountPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const user = await accounts.setTier(actor, params, payload.tier, { revision: revisionOf(headers) });
        return h.response({ user }).etag(etagOf(user));
    },
});
