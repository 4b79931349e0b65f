import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    memberExample,
    updateUserPayload,
    userAnswer,
    userParams,
    type UpdateUser,
    type UserParams,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

export const updateUser = (users: Users): ServerRoute<{ Params: UserParams; Payload: UpdateUser }> => ({
    method: 'PATCH',
    path: '/api/users/{userId}',
    options: {
        ...describeRoute('Change a user of your tenant', {
            tag: 'users',
            notes: 'What changes holds from the next request of the user on. Who is disabled is logged out for good.',
            answer: userAnswer,
            example: { user: { ...memberExample, role: 'admin' } },
            errors: ['USER_NOT_FOUND', 'EMAIL_TAKEN', 'LAST_ADMIN', 'ALREADY_DELETED', 'REVISION_MISMATCH'],
        }),
        auth: { access: { scope: 'user:write' } },
        validate: { params: userParams, payload: updateUserPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const user = await users.change(auth.credentials.actor, params.userId, payload, {
            revision: revisionOf(headers),
        });
        return h.response({ user }).etag(etagOf(user));
    },
});
