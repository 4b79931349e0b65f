import { describeRoute } from '../../../src/http/describe-route.ts';
import { changePasswordPayload, endedAnswer, type ChangePassword } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PasswordService } from '../password-service.ts';

export const changePassword = (passwords: PasswordService): ServerRoute<{ Payload: ChangePassword }> => ({
    method: 'POST',
    path: '/api/auth/password',
    options: {
        ...describeRoute('Change your password', {
            tag: 'auth',
            notes: 'Ends all other sessions. A wrong current password counts as a failed login.',
            answer: endedAnswer,
            example: { endedSessions: 2 },
            isExpensive: true,
            errors: ['INVALID_CREDENTIALS', 'ACCOUNT_DELAYED', 'SERVER_BUSY'],
            rateLimit: { limit: 5, window: 60 },
        }),
        validate: { payload: changePasswordPayload },
    },
    handler: async ({ auth, payload }) => ({
        endedSessions: await passwords.change(auth.credentials.actor, payload),
    }),
});
