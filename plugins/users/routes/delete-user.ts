import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { deletedUserExample, userAnswer, userParams, type UserParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

export const deleteUser = (users: Users): ServerRoute<{ Params: UserParams }> => ({
    method: 'DELETE',
    path: '/api/users/{userId}',
    options: {
        ...describeRoute('Delete a user of your tenant', {
            tag: 'users',
            notes: 'Can be restored within 30 days, without the sessions of before; then everything of the user is removed for good.',
            answer: userAnswer,
            example: { user: deletedUserExample },
            errors: ['USER_NOT_FOUND', 'LAST_ADMIN', 'ALREADY_DELETED', 'REVISION_MISMATCH'],
        }),
        auth: { access: { scope: 'user:write' } },
        validate: { params: userParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }, h) => {
        const user = await users.remove(auth.credentials.actor, params.userId, revisionOf(headers));
        return h.response({ user }).etag(etagOf(user));
    },
});
