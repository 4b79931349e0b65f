import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { isApiError } from '../../../src/http/errors.ts';
import { cookie } from '../cookies.ts';
import { logoutAnswer } from '../schemas.ts';

import type { Boom } from '@hapi/boom';
import type { Request, ServerRoute } from '@hapi/hapi';
import type { AuthService } from '../service.ts';

/** What is refused without a word on the session itself: to succeed would say that it has ended. */
const UNSETTLED = ['CSRF_REJECTED', 'TENANT_MISMATCH'] as const;
const REFUSALS = new Set([401, 403]);
const message = 'Successfully logged out';

/** @param path The route is served at two */
export const logout = (auth: AuthService, path: string): ServerRoute => ({
    method: 'POST',
    path,
    options: {
        ...describeRoute('Log out', {
            tag: 'auth',
            notes: 'Ends the session and refuses its tokens from now on. Succeeds without a session as well.',
            answer: logoutAnswer,
            example: { message },
            errors: ['CSRF_REJECTED', 'TENANT_MISMATCH', 'RATE_LIMITED'],
            isPublic: true,
        }),
        auth: { mode: 'try' },
    },
    handler: async (request, h) => {
        const session = sessionOf(auth, request);
        if (session) await auth.logout(callerOf(request), session);
        return h.response({ message }).unstate('access').unstate('refresh', { path: '/api' });
    },
});

/** The session of the access token, or of the refresh cookie where the access token has expired. */
function sessionOf(auth: AuthService, request: Request) {
    if (request.auth.isAuthenticated) {
        const { tenantId, userId, sessionId, tokenId, expiresAt } = request.auth.credentials.actor;
        return { tenantId, userId, sessionId, tokenId, tokenExpiresAt: expiresAt };
    }
    const { error } = request.auth;
    // Not to be told who asks, because Redis is away, is no reason to say that the session has ended.
    if (error && !REFUSALS.has((error as Boom).output.statusCode)) throw error;
    if (UNSETTLED.some((code) => isApiError(error, code))) throw error;
    const token = cookie(request, 'refresh');
    return token === null ? null : auth.sessionOf(token);
}
