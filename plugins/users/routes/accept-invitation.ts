import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { acceptInvitationPayload, memberExample, userAnswer, type Acceptance } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

export const acceptInvitation = (users: Users): ServerRoute<{ Payload: Acceptance }> => ({
    method: 'POST',
    path: '/api/auth/invitation/accept',
    options: {
        ...describeRoute('Accept an invitation by setting a password', {
            tag: 'users',
            notes: 'The invitation is used up by it; log in afterwards.',
            answer: userAnswer,
            example: { user: { ...memberExample, revision: 2 } },
            isExpensive: true,
            errors: ['INVITATION_INVALID', 'TENANT_RESTORING', 'RATE_LIMITED', 'SERVER_BUSY'],
            isPublic: true,
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: false,
        validate: { payload: acceptInvitationPayload },
    },
    handler: async (request) => ({ user: await users.accept(callerOf(request), request.payload) }),
});
