import { describeRoute } from '../../../src/http/describe-route.ts';
import { userParams, type UserParams } from '../../users/api.ts';
import { resetTokenAnswer, resetTokenData } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PasswordService } from '../password-service.ts';

export const createResetToken = (passwords: PasswordService): ServerRoute<{ Params: UserParams }> => ({
    method: 'POST',
    path: '/api/users/{userId}/password-reset',
    options: {
        ...describeRoute('Make a reset token for a user', {
            tag: 'auth',
            notes: 'For the admin to hand over; it is shown this once. The old password stays good until it is used.',
            answer: resetTokenAnswer,
            example: resetTokenData,
            status: 201,
            errors: ['USER_NOT_FOUND'],
            idempotent: true,
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'user:write' } },
        validate: { params: userParams },
    },
    handler: ({ auth, params }) => passwords.createResetToken(auth.credentials.actor, params.userId),
});
