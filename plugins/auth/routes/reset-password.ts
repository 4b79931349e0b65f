import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { messageAnswer, resetPasswordPayload, type ResetPassword } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PasswordService } from '../password-service.ts';

const message = 'The password was changed; log in with it';

export const resetPassword = (passwords: PasswordService): ServerRoute<{ Payload: ResetPassword }> => ({
    method: 'POST',
    path: '/api/auth/password/reset',
    options: {
        ...describeRoute('Choose a password anew with a reset token', {
            tag: 'auth',
            notes: 'A token is good once, for an hour. All sessions of the user end.',
            answer: messageAnswer,
            example: { message },
            isExpensive: true,
            errors: ['RESET_TOKEN_INVALID', 'TENANT_RESTORING', 'RATE_LIMITED', 'SERVER_BUSY'],
            isPublic: true,
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: false,
        validate: { payload: resetPasswordPayload },
    },
    handler: async (request) => {
        await passwords.reset(callerOf(request), request.payload);
        return { message };
    },
});
