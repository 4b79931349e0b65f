import { describeRoute } from '../../../src/http/describe-route.ts';
import { accountAnswer, accountExample, accountParams, type AccountParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Accounts } from '../service.ts';

export const activateAccount = (accounts: Accounts): ServerRoute<{ Params: AccountParams }> => ({
    method: 'POST',
    path: '/api/admin/tenants/{tenantId}/users/{userId}/activate',
    options: {
        ...describeRoute('Activate a user of a tenant', {
            tag: 'admin',
            notes: 'Takes a suspension back. Sessions stay over: the user logs in again.',
            answer: accountAnswer,
            example: { user: { ...accountExample, revision: 3 } },
            errors: ['TENANT_NOT_FOUND', 'USER_NOT_FOUND', 'ALREADY_DELETED'],
        }),
        auth: { access: { scope: 'account:suspend' } },
        validate: { params: accountParams },
    },
    handler: async ({ auth, params }) => ({
        user: await accounts.activate(auth.credentials.actor, params),
    }),
});
