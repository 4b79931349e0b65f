import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { withCookies } from '../cookies.ts';
import { loginPayload, sessionAnswer, sessionExample, type Login } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AuthService } from '../service.ts';

/** @param path The route is served at two */
export const login = (auth: AuthService, path: string): ServerRoute<{ Payload: Login }> => ({
    method: 'POST',
    path,
    options: {
        ...describeRoute('Log in', {
            tag: 'auth',
            notes:
                'Without `tenantId` or `domain` the domain of the e-mail address decides about the tenant. The tokens ' +
                'are set as cookies as well.',
            answer: sessionAnswer,
            example: sessionExample,
            isExpensive: true,
            errors: [
                'INVALID_CREDENTIALS',
                'ACCOUNT_DELAYED',
                'TENANT_SUSPENDED',
                'TENANT_RESTORING',
                'MAINTENANCE',
                'USER_DISABLED',
                'RATE_LIMITED',
                'SERVER_BUSY',
            ],
            isPublic: true,
            inMaintenance: true,
            rateLimit: { limit: 5, window: 60, bucket: 'login' },
        }),
        auth: false,
        validate: { payload: loginPayload },
    },
    handler: async (request, h) => {
        const grant = await auth.login(callerOf(request), request.payload);
        return withCookies(h.response(grant), grant);
    },
});
