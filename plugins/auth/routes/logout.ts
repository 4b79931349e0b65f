import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { cookie } from '../cookies.ts';
import { accessTokenOf, checkTenant } from '../credential.ts';
import { logoutAnswer } from '../schemas.ts';

import type { Request, ServerRoute } from '@hapi/hapi';
import type { AuthService } from '../service.ts';

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
            errors: ['CSRF_REJECTED', 'TENANT_MISMATCH'],
            isPublic: true,
            inMaintenance: true,
        }),
        // Whoever may not do anything else any more, as in a suspended tenant, can still log out.
        auth: false,
    },
    handler: async (request, h) => {
        const session = sessionOf(auth, request);
        if (session) await auth.logout(callerOf(request), session);
        return h.response({ message }).unstate('access').unstate('refresh', { path: '/api' });
    },
});

/** The session of the access token, however old that is, or of the refresh cookie. */
function sessionOf(auth: AuthService, request: Request) {
    const accessToken = accessTokenOf(request);
    const refreshToken = cookie(request, 'refresh');
    const session = auth.sessionOf(accessToken, refreshToken);
    if (session) checkTenant(request, session.tenantId);
    return session;
}
