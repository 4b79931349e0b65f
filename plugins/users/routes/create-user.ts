import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { createdUserAnswer, createUserPayload, memberExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { UserDetails } from '../api.ts';
import type { Users } from '../service.ts';

export const createUser = (users: Users): ServerRoute<{ Payload: UserDetails }> => ({
    method: 'POST',
    path: '/api/users',
    options: {
        ...describeRoute('Create a user of your tenant', {
            tag: 'users',
            notes: 'Without a password the answer has an invitation token, with which the user sets one.',
            answer: createdUserAnswer,
            example: { user: memberExample, token: 'it1.tenant_01K9….user_01K9….Zk1…' },
            status: 201,
            grows: true,
            isExpensive: true,
            errors: ['EMAIL_TAKEN', 'SERVER_BUSY'],
            idempotent: true,
        }),
        auth: { access: { scope: 'user:write' } },
        validate: { payload: createUserPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const { user, token } = await users.create(auth.credentials.actor, payload);
        return h.response({ user, ...(token !== null && { token }) }).etag(etagOf(user));
    },
});
