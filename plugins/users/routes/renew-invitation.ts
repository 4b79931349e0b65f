import { describeRoute } from '../../../src/http/describe-route.ts';
import { memberExample, renewedInvitationAnswer, userParams, type UserParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

export const renewInvitation = (users: Users): ServerRoute<{ Params: UserParams }> => ({
    method: 'POST',
    path: '/api/users/{userId}/invitation',
    options: {
        ...describeRoute('Invite a user of your tenant again', {
            tag: 'users',
            notes: 'For who has not accepted yet. The token of before is not valid any more.',
            answer: renewedInvitationAnswer,
            example: { user: memberExample, token: 'it1.tenant_01K9….user_01K9….Zk1…' },
            status: 201,
            errors: ['USER_NOT_FOUND', 'ALREADY_DELETED', 'INVITATION_ACCEPTED'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'user:write' } },
        validate: { params: userParams },
    },
    handler: ({ auth, params }) => users.invite(auth.credentials.actor, params.userId),
});
