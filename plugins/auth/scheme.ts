import { checkTenant, credentialOf } from './credential.ts';
import { permissionsOf } from './permissions.ts';
import { callerOf } from '../../src/http/caller.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { bucketOf } from '../../src/http/rate-limit.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { restoringError } from '../../src/redis/restoring.ts';
import { openApiKey } from '../../src/security/api-keys.ts';

import type { Request, ServerAuthScheme } from '@hapi/hapi';
import type { AdmissionStore, RouteUse } from './admission-store.ts';
import type { CredentialOptions, Passes } from './api.ts';
import type { Verdict } from './verdict.ts';
import type { AccessTokens } from '../../src/security/access-tokens.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { OperationsPort } from '../operations/api.ts';

/** How many credentials that are none of ours an IP address may try. */
const GUESSES = { limit: 100, window: 60 };
/** When a key without an expiry expires. */
const NEVER = '9999-12-31T23:59:59.999Z';

export interface SchemeParts {
    tokens: AccessTokens;
    store: AdmissionStore;
    /** Whether a tenant is let in at all. */
    gate: OperationsPort['checkMaintenance'];
}

/**
 * Authentication by access token, by service API key or by a pass of the strategy's: the signature or the checksum is
 * checked here, everything that may have changed since in one script.
 */
export const credentialScheme =
    (parts: SchemeParts): ServerAuthScheme<CredentialOptions> =>
    (_server, { passes } = {}) => ({
        authenticate: async (request, h) => {
            const credential = credentialOf(request);
            if (credential === null) throw apiError('UNAUTHENTICATED');
            const { kind, text } = credential;
            try {
                const actor = await (passes && text.startsWith(passes.prefix)
                    ? byPass(request, parts, passes, text)
                    : kind === 'key'
                      ? byKey(request, parts, text)
                      : byToken(request, parts, text));
                return h.authenticated({ credentials: { scope: actor.permissions, actor } });
            } catch (error) {
                if (isApiError(error, 'UNAUTHENTICATED') || isApiError(error, 'KEY_INVALID')) {
                    await countGuess(request, parts.store);
                }
                throw error;
            }
        },
    });

async function byToken(request: Request, { tokens, store, gate }: SchemeParts, text: string): Promise<Actor> {
    const claims = tokens.verify(text);
    checkTenant(request, claims.tid);
    gate(claims.tid);
    request.logger.setBindings({ tenantId: claims.tid, userId: claims.sub });
    const verdict = await store.admit(claims, useOf(request));
    if (verdict.code === 0) throw apiError('SESSION_ENDED');
    check(request, verdict);
    return {
        ...standing(request, claims.tid, verdict),
        userId: claims.sub,
        username: claims.username,
        sessionId: claims.sid,
        tokenId: claims.jti,
        expiresAt: isoTime(claims.exp * 1000),
    };
}

async function byKey(request: Request, { store, gate }: SchemeParts, text: string): Promise<Actor> {
    const key = openApiKey(text);
    if (key === null) throw apiError('KEY_INVALID');
    const { tenantId, keyId } = key;
    checkTenant(request, tenantId);
    gate(tenantId);
    const { verdict, holder } = await store.admitKey(key, useOf(request));
    if (verdict.code === 0) throw apiError('KEY_INVALID');
    check(request, verdict);
    if (holder === undefined || !isForKeys(request)) throw apiError('KEY_NOT_ALLOWED');
    const { userId, username, scopes, expiresAt } = holder;
    request.logger.setBindings({ tenantId, userId, keyId });
    const { permissions, ...actor } = standing(request, tenantId, verdict);
    return {
        ...actor,
        userId,
        username,
        sessionId: '',
        permissions: permissions.filter((permission) => scopes.includes(permission)),
        tokenId: keyId,
        expiresAt: expiresAt === null ? NEVER : isoTime(expiresAt),
        keyId,
    };
}

async function byPass(request: Request, { store, gate }: SchemeParts, passes: Passes, text: string): Promise<Actor> {
    const pass = passes.open(text, request.params as Record<string, string>);
    if (pass === null) throw apiError('UNAUTHENTICATED');
    const { tenantId, id } = pass;
    checkTenant(request, tenantId);
    gate(tenantId);
    const { verdict, holder } = await store.admitPass(pass, useOf(request));
    if (verdict.code === 0) throw apiError('UNAUTHENTICATED');
    check(request, verdict);
    if (holder === undefined) throw apiError('UNAUTHENTICATED');
    const { userId, username, expiresAt } = holder;
    request.logger.setBindings({ tenantId, userId, passId: id });
    const { permissions, ...actor } = standing(request, tenantId, verdict);
    return {
        ...actor,
        userId,
        username,
        sessionId: '',
        permissions: permissions.filter((permission) => passes.permissions.includes(permission)),
        providerKeys: [],
        tokenId: id,
        expiresAt: isoTime(expiresAt),
        passId: id,
    };
}

/** What admission tells of an actor. */
const standing = (request: Request, tenantId: string, { role, tier, providerKeys }: Verdict) => ({
    ...callerOf(request),
    tenantId,
    role,
    tier,
    permissions: permissionsOf(role, tenantId),
    providerKeys,
});

function useOf(request: Request): RouteUse {
    const { rateLimit, isQuotaFree = false, whileRestoring = false } = request.route.settings.app ?? {};
    return { bucket: bucketOf(request), own: rateLimit, isQuotaFree, whileRestoring };
}

/** Routes that ask for no permission are about the user's own account, which is for sessions. */
const isForKeys = ({ route }: Request): boolean => route.settings.auth?.access?.some(({ scope }) => scope) ?? false;

/** @throws TENANT_SUSPENDED, USER_DISABLED, TENANT_RESTORING, RATE_LIMITED, QUOTA_EXCEEDED */
function check(request: Request, { code, rate, wait, quota }: Verdict): void {
    if (rate) request.app.rate = rate;
    if (code === -1) throw apiError('TENANT_SUSPENDED');
    if (code === -2) throw apiError('USER_DISABLED');
    if (code === -5) throw restoringError();
    if (code === -3) throw apiError('RATE_LIMITED', { retryAfter: wait / 1000 });
    if (quota) {
        const details = { quota: 'requestsPerMonth', ...quota, resetsAt: isoTime(quota.resetsAt) };
        throw apiError('QUOTA_EXCEEDED', { details, retryAfter: wait / 1000 });
    }
}

/** Slows down whoever tries credentials one after the other. @throws RATE_LIMITED */
async function countGuess({ app }: Request, store: AdmissionStore): Promise<void> {
    const { isWithin, wait } = await store.limit('failed-authentication', app.client.ipAddress, GUESSES);
    if (!isWithin) throw apiError('RATE_LIMITED', { retryAfter: wait / 1000 });
}
