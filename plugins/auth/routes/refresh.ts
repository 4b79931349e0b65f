import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { apiError } from '../../../src/http/errors.ts';
import { cookie, withCookies } from '../cookies.ts';
import { refreshPayload, sessionAnswer, sessionExample, type Refresh } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AuthService } from '../service.ts';

export const refresh = (auth: AuthService): ServerRoute<{ Payload: Refresh }> => ({
    method: 'POST',
    path: '/api/auth/refresh',
    options: {
        ...describeRoute('Exchange the refresh token for new tokens', {
            tag: 'auth',
            notes:
                'Each refresh token is good once. Used again within 30 s it gives the same successor; later the ' +
                'session ends. The token comes in the body or as the `refresh` cookie.',
            answer: sessionAnswer,
            example: sessionExample,
            errors: [
                'REFRESH_INVALID',
                'REFRESH_REUSED',
                'SESSION_ENDED',
                'TENANT_SUSPENDED',
                'TENANT_RESTORING',
                'MAINTENANCE',
                'USER_DISABLED',
                'CSRF_REJECTED',
                'RATE_LIMITED',
            ],
            isPublic: true,
            inMaintenance: true,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: false,
        validate: { payload: refreshPayload },
    },
    handler: async (request, h) => {
        const token = request.payload.refreshToken ?? cookie(request, 'refresh');
        if (token === null) throw apiError('REFRESH_INVALID');
        const grant = await auth.refresh(callerOf(request), token);
        return withCookies(h.response(grant), grant);
    },
});
