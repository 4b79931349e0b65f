import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { forgotPasswordPayload, messageAnswer, type ForgotPassword } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PasswordService } from '../password-service.ts';

const message = 'If there is such an account, a mail with a reset token is on its way';

export const forgotPassword = (passwords: PasswordService): ServerRoute<{ Payload: ForgotPassword }> => ({
    method: 'POST',
    path: '/api/auth/password/forgot',
    options: {
        ...describeRoute('Ask for a password reset by e-mail', {
            tag: 'auth',
            notes:
                'The answer is the same whether or not there is such an account. Without `tenantId` or `domain` the ' +
                'domain of the e-mail address decides about the tenant. A server without e-mail sends nothing: an ' +
                'admin of the tenant can make a reset token instead.',
            answer: messageAnswer,
            example: { message },
            errors: ['RATE_LIMITED'],
            isPublic: true,
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: false,
        validate: { payload: forgotPasswordPayload },
    },
    handler: (request) => {
        passwords.forgot(callerOf(request), request.payload);
        return { message };
    },
});
