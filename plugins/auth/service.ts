import { permissionsOf } from './permissions.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Login, Register } from './schemas.ts';
import type { AuthStore, EndedSession } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { AccessTokens } from '../../src/security/access-tokens.ts';
import type { Passwords } from '../../src/security/passwords.ts';
import type { RefreshTokens } from '../../src/security/refresh-tokens.ts';
import type { Actor, Caller } from '../../src/types/actor.ts';
import type { Tenant, TenantService } from '../tenants/api.ts';
import type { PublicUser, User, UserService } from '../users/api.ts';

/** Two tabs that refresh at once use one token twice; within this time that is taken for what it is. */
const REFRESH_GRACE_MS = 30_000;

/** What a login, a registration and a refresh answer with. */
export interface Grant {
    user: PublicUser;
    tenant: Tenant;
    /** Seconds */
    expiresIn: number;
    accessToken: string;
    refreshToken: string;
}

export interface AuthParts {
    config: Config;
    clock: Clock;
    store: AuthStore;
    append: AppendOutbox;
    tenants: TenantService;
    users: UserService;
    passwords: Passwords;
    accessTokens: AccessTokens;
    refreshTokens: RefreshTokens;
}

export type AuthService = ReturnType<typeof createAuthService>;

/** Registration, login, refresh and logout. */
export function createAuthService(parts: AuthParts) {
    const { config, clock, store, append, tenants, users, passwords, accessTokens, refreshTokens } = parts;

    const newSession = (caller: Caller, userId: string) => ({
        id: newId('sess'),
        userId,
        counter: 0,
        refreshedAt: null,
        ipAddress: caller.ipAddress,
        userAgent: caller.userAgent,
        expiresAt: isoTime(clock() + config.REFRESH_TOKEN_TTL * 1000),
    });

    const grant = (tenant: Tenant, user: User, sessionId: string, counter: number): Grant => ({
        user: users.publish(user),
        tenant,
        expiresIn: config.ACCESS_TOKEN_TTL,
        accessToken: accessTokens.issue({
            sub: user.id,
            tid: tenant.id,
            sid: sessionId,
            jti: newId('jti'),
            username: user.username,
            scope: permissionsOf(user.role),
        }),
        refreshToken: refreshTokens.issue({ tenantId: tenant.id, userId: user.id, sessionId, counter }),
    });

    const findTenant = async ({ tenantId, domain, username, email = username ?? '' }: Login) =>
        tenantId ?? (await tenants.findByDomain(domain ?? email.slice(email.indexOf('@') + 1)));

    return {
        /** @throws REGISTRATION_CLOSED, DOMAIN_TAKEN, SERVER_BUSY */
        async register(caller: Caller, { tenantName, domain, email, password, displayName }: Register): Promise<Grant> {
            if (config.REGISTRATION === 'closed') throw apiError('REGISTRATION_CLOSED');
            let sessionId = '';
            const tenant = await tenants.create({ name: tenantName, domain, plan: 'free' }, async (tenantId) => {
                const passwordHash = await passwords.hash(password);
                const name = displayName ?? email.slice(0, email.indexOf('@'));
                const founder = users.draft(tenantId, { email, displayName: name, role: 'admin', passwordHash });
                const session = newSession(caller, founder.user.id);
                sessionId = session.id;
                const events = [
                    { type: 'tenant.created', data: { tenantId } },
                    { type: 'user.created', data: { userId: founder.user.id } },
                ];
                const entry = { action: 'auth.register', resource: 'tenant', resourceId: tenantId, result: 'success' };
                return {
                    drafts: [founder.draft, store.sessions.draft(tenantId, session)],
                    outbox: { events, audit: [audited({ ...caller, userId: founder.user.id }, entry)] },
                };
            });
            const user = await users.findByEmail(tenant.id, email);
            if (!user) throw apiError('USER_NOT_FOUND');
            return grant(tenant, user, sessionId, 0);
        },

        /** @throws INVALID_CREDENTIALS, TENANT_SUSPENDED, USER_DISABLED, SERVER_BUSY */
        async login(caller: Caller, login: Login): Promise<Grant> {
            const email = login.email ?? login.username ?? '';
            const tenantId = await findTenant(login);
            const user = tenantId === null ? null : await users.findByEmail(tenantId, email);
            const fits = await passwords.verify(login.password, user?.passwordHash ?? null);
            const entry = { action: 'auth.login', resource: 'user', resourceId: user?.id ?? email };
            const refuse = async (code: 'INVALID_CREDENTIALS' | 'TENANT_SUSPENDED' | 'USER_DISABLED') => {
                // A tenant that does not exist has no audit; such attempts stand in the platform's.
                const place = user && tenantId !== null ? tenantId : PLATFORM;
                await append(place, { audit: [audited(caller, { ...entry, result: code })] });
                return apiError(code);
            };
            if (tenantId === null || !user || !fits) throw await refuse('INVALID_CREDENTIALS');
            const tenant = await tenants.get(tenantId);
            if (tenant.status !== 'active') throw await refuse('TENANT_SUSPENDED');
            if (!user.isActive) throw await refuse('USER_DISABLED');

            const session = newSession(caller, user.id);
            const audit = [audited({ ...caller, userId: user.id }, { ...entry, result: 'success' })];
            const events = [{ type: 'auth.login', data: { userId: user.id, sessionId: session.id } }];
            await store.sessions.create(tenantId, session, { events, audit });
            return grant(tenant, user, session.id, 0);
        },

        /** @throws REFRESH_INVALID, REFRESH_REUSED, SESSION_ENDED, TENANT_SUSPENDED, USER_DISABLED */
        async refresh(caller: Caller, refreshToken: string): Promise<Grant> {
            const claims = refreshTokens.open(refreshToken);
            if (!claims) throw apiError('REFRESH_INVALID');
            const { userId, sessionId } = claims;
            const entry = { userId, action: 'auth.refresh', resource: 'session', resourceId: sessionId };
            const data = { userId, sessionId };
            const { code, counter, user, tenant } = await store.refresh(claims, {
                graceMs: REFRESH_GRACE_MS,
                lifetimeMs: config.REFRESH_TOKEN_TTL * 1000,
                refreshed: { audit: [audited(caller, { ...entry, result: 'success' })] },
                reused: {
                    events: [{ type: 'auth.session_ended', data }],
                    audit: [audited(caller, { ...entry, result: 'REFRESH_REUSED' })],
                },
            });
            if (code === 0) throw apiError('SESSION_ENDED');
            if (code === -1) throw apiError('REFRESH_REUSED');
            if (code === -2) throw apiError('TENANT_SUSPENDED');
            if (code === -3) throw apiError('USER_DISABLED');
            return grant(tenants.decode(tenant), users.decode(user), sessionId, counter);
        },

        /** Ends a session; the access token that asked for it, if it was one, is refused from now on. */
        async logout(caller: Caller, ended: EndedSession): Promise<void> {
            const { userId, sessionId } = ended;
            const entry = { userId, action: 'auth.logout', resource: 'session', resourceId: sessionId };
            await store.end(ended, {
                events: [{ type: 'auth.session_ended', data: { userId, sessionId } }],
                audit: [audited(caller, { ...entry, result: 'success' })],
            });
        },

        /** The session of a refresh token, or null when the token is not one of ours. */
        sessionOf: (refreshToken: string): EndedSession | null => refreshTokens.open(refreshToken),

        async me(actor: Actor) {
            const [user, tenant] = await Promise.all([
                users.get(actor.tenantId, actor.userId),
                tenants.get(actor.tenantId),
            ]);
            const { tier, permissions, expiresAt } = actor;
            return { user, tenant, tier, permissions, expiresAt };
        },
    };
}
