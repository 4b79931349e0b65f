import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { memberExample, userAnswer, userParams, type UserParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

export const getUser = (users: Users): ServerRoute<{ Params: UserParams }> => ({
    method: 'GET',
    path: '/api/users/{userId}',
    options: {
        ...describeRoute('Show a user of your tenant', {
            tag: 'users',
            answer: userAnswer,
            example: { user: memberExample },
            errors: ['USER_NOT_FOUND'],
        }),
        auth: { access: { scope: 'user:read' } },
        validate: { params: userParams },
    },
    handler: async ({ auth, params }, h) => {
        const user = await users.get(auth.credentials.actor.tenantId, params.userId);
        return h.response({ user }).etag(etagOf(user));
    },
});
