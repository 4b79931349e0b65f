import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { memberExample, userAnswer, userParams, type UserParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

export const restoreUser = (users: Users): ServerRoute<{ Params: UserParams }> => ({
    method: 'POST',
    path: '/api/users/{userId}/restore',
    options: {
        ...describeRoute('Restore a deleted user of your tenant', {
            tag: 'users',
            answer: userAnswer,
            example: { user: { ...memberExample, revision: 3 } },
            errors: ['USER_NOT_FOUND', 'NOT_RESTORABLE'],
        }),
        auth: { access: { scope: 'user:write' } },
        validate: { params: userParams },
    },
    handler: async ({ auth, params }, h) => {
        const user = await users.restore(auth.credentials.actor, params.userId);
        return h.response({ user }).etag(etagOf(user));
    },
});
