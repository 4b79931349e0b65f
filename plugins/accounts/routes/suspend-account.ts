import { describeRoute } from '../../../src/http/describe-route.ts';
import {
    accountAnswer,
    accountExample,
    accountParams,
    suspendAccountPayload,
    type AccountParams,
    type SuspendAccount,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Accounts } from '../service.ts';

export const suspendAccount = (
    accounts: Accounts,
): ServerRoute<{ Params: AccountParams; Payload: SuspendAccount }> => ({
    method: 'POST',
    path: '/api/admin/tenants/{tenantId}/users/{userId}/suspend',
    options: {
        ...describeRoute('Suspend a user of a tenant', {
            tag: 'admin',
            notes: 'Every session is over, and the next request is refused; nothing is deleted.',
            answer: accountAnswer,
            example: { user: { ...accountExample, isActive: false, revision: 2 } },
            errors: ['TENANT_NOT_FOUND', 'USER_NOT_FOUND', 'LAST_ADMIN', 'ALREADY_DELETED'],
        }),
        auth: { access: { scope: 'account:suspend' } },
        validate: { params: accountParams, payload: suspendAccountPayload },
    },
    handler: async ({ auth, params, payload }) => ({
        user: await accounts.suspend(auth.credentials.actor, params, payload),
    }),
});
