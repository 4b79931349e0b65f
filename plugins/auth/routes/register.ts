import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { withCookies } from '../cookies.ts';
import { registerPayload, sessionAnswer, sessionExample, type Register } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AuthService } from '../service.ts';

export const register = (auth: AuthService): ServerRoute<{ Payload: Register }> => ({
    method: 'POST',
    path: '/api/auth/register',
    options: {
        ...describeRoute('Register a tenant with its first admin', {
            tag: 'auth',
            notes: 'Logs the admin in. Of several registrations of one domain exactly one succeeds.',
            answer: sessionAnswer,
            example: sessionExample,
            status: 201,
            grows: true,
            isExpensive: true,
            errors: ['REGISTRATION_CLOSED', 'DOMAIN_TAKEN', 'RATE_LIMITED', 'SERVER_BUSY'],
            isPublic: true,
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: false,
        validate: { payload: registerPayload },
    },
    handler: async (request, h) => {
        const grant = await auth.register(callerOf(request), request.payload);
        return withCookies(h.response(grant), grant);
    },
});
