import { accessTokenOf, checkTenant } from './credential.ts';
import { permissionsOf } from './permissions.ts';
import { callerOf } from '../../src/http/caller.ts';
import { apiError } from '../../src/http/errors.ts';
import { bucketOf } from '../../src/http/rate-limit.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { Request, ServerAuthScheme } from '@hapi/hapi';
import type { AuthStore, Verdict } from './store.ts';
import type { AccessClaims, AccessTokens } from '../../src/security/access-tokens.ts';
import type { Actor } from '../../src/types/actor.ts';

/**
 * Authentication by access token, from the Authorization header or the `access` cookie: the signature is checked here,
 * everything that may have changed since in one script.
 */
export const accessTokenScheme =
    (tokens: AccessTokens, store: AuthStore): ServerAuthScheme =>
    () => ({
        authenticate: async (request, h) => {
            const token = accessTokenOf(request);
            if (token === null) throw apiError('UNAUTHENTICATED');
            const claims = tokens.verify(token);
            checkTenant(request, claims);
            request.logger.setBindings({ tenantId: claims.tid, userId: claims.sub });
            const verdict = await store.admit(claims, bucketOf(request), request.route.settings.app?.rateLimit);
            if (verdict.rate) request.app.rate = verdict.rate;
            refuse(verdict);
            const actor = actorOf(request, claims, verdict);
            return h.authenticated({ credentials: { scope: actor.permissions, actor } });
        },
    });

function refuse({ code, wait }: Verdict): void {
    if (code === 0) throw apiError('SESSION_ENDED');
    if (code === -1) throw apiError('TENANT_SUSPENDED');
    if (code === -2) throw apiError('USER_DISABLED');
    if (code === -3) throw apiError('RATE_LIMITED', { retryAfter: wait / 1000 });
}

const actorOf = (request: Request, claims: AccessClaims, { role, tier, providerKeys }: Verdict): Actor => ({
    ...callerOf(request),
    tenantId: claims.tid,
    userId: claims.sub,
    username: claims.username,
    sessionId: claims.sid,
    role,
    tier,
    permissions: permissionsOf(role, claims.tid),
    providerKeys,
    tokenId: claims.jti,
    expiresAt: isoTime(claims.exp * 1000),
});
