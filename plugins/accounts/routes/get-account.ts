import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { accountAnswer, accountExample, accountParams, type AccountParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Accounts } from '../service.ts';

export const getAccount = (accounts: Accounts): ServerRoute<{ Params: AccountParams }> => ({
    method: 'GET',
    path: '/api/admin/tenants/{tenantId}/users/{userId}',
    options: {
        ...describeRoute('Get a user of a tenant', {
            tag: 'admin',
            answer: accountAnswer,
            example: { user: accountExample },
            errors: ['TENANT_NOT_FOUND', 'USER_NOT_FOUND'],
        }),
        auth: { access: { scope: 'account:read' } },
        validate: { params: accountParams },
    },
    handler: async ({ auth, params }, h) => {
        const user = await accounts.get(auth.credentials.actor, params);
        return h.response({ user }).etag(etagOf(user));
    },
});
