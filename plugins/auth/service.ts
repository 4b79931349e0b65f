import { findAccount, type Account } from './account.ts';
import { permissionsOf } from './permissions.ts';
import { apiError, isApiError, type ErrorCode } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { localPartOf } from '../../src/mail/address.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';
import { restoringError } from '../../src/redis/restoring.ts';
import { checkStrength } from '../../src/security/check-strength.ts';

import type { CredentialParts } from './credential-parts.ts';
import type { Login, Register } from './schemas.ts';
import type { EndedSession, SessionStore } from './session-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config.ts';
import type { AccessTokens } from '../../src/security/access-tokens.ts';
import type { RefreshTokens } from '../../src/security/refresh-tokens.ts';
import type { Actor, Caller } from '../../src/types/actor.ts';
import type { OperationsPort } from '../operations/api.ts';
import type { Founding, Tenant } from '../tenants/api.ts';
import type { PublicUser, User } from '../users/api.ts';

/** Two tabs that refresh at once use one token twice; within this time that is taken for what it is. */
const REFRESH_GRACE_MS = 30_000;

/** What the codes of a refresh stand for. */
const REFRESH_REFUSALS: Record<number, ErrorCode> = {
    0: 'SESSION_ENDED',
    [-1]: 'REFRESH_REUSED',
    [-2]: 'TENANT_SUSPENDED',
    [-3]: 'USER_DISABLED',
};

/** What a login, a registration and a refresh answer with. */
export interface Grant {
    user: PublicUser;
    tenant: Tenant;
    /** Seconds */
    expiresIn: number;
    accessToken: string;
    refreshToken: string;
}

export interface AuthParts extends CredentialParts {
    operations: Pick<OperationsPort, 'settings' | 'checkMaintenance'>;
    config: Config;
    clock: Clock;
    sessions: SessionStore;
    accessTokens: AccessTokens;
    refreshTokens: RefreshTokens;
}

/** Registration, login, refresh and logout. */
export class AuthService {
    readonly #parts: AuthParts;

    constructor(parts: AuthParts) {
        this.#parts = parts;
    }

    /** @throws REGISTRATION_CLOSED, DOMAIN_TAKEN, SERVER_BUSY, VALIDATION_ERROR for a password easy to guess */
    async register(caller: Caller, details: Register): Promise<Grant> {
        const { operations, tenants, users } = this.#parts;
        if (operations.settings().registration === 'closed') throw apiError('REGISTRATION_CLOSED');
        await checkStrength('password', details.password, details);
        const sessionId = newId('sess');
        const { tenantName: name, domain, email } = details;
        const tenant = await tenants.create({ name, domain, plan: 'free' }, (tenantId) =>
            this.#found(caller, details, tenantId, sessionId),
        );
        const user = await users.findByEmail(tenant.id, email);
        if (!user) throw apiError('USER_NOT_FOUND');
        return this.#grant(tenant, user, sessionId, 0);
    }

    /** @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, TENANT_SUSPENDED, USER_DISABLED, MAINTENANCE, SERVER_BUSY */
    async login(caller: Caller, login: Login): Promise<Grant> {
        const email = login.email ?? login.username ?? '';
        const account = await findAccount(this.#parts, { ...login, email });
        this.#parts.operations.checkMaintenance(account.tenantId);
        await this.#checkPassword(caller, email, account, login.password);
        const { tenantId, user } = account;
        if (tenantId === null || !user) throw await this.#refuse(caller, PLATFORM, email, 'INVALID_CREDENTIALS');
        const tenant = await this.#parts.tenants.get(tenantId);
        if (tenant.status !== 'active') throw await this.#refuse(caller, tenantId, user.id, 'TENANT_SUSPENDED');
        if (!user.isActive) throw await this.#refuse(caller, tenantId, user.id, 'USER_DISABLED');

        // The hash has changed since it was verified: the new one decides.
        return (await this.#begin(caller, tenant, user, login.password)) ?? this.login(caller, login);
    }

    /** @throws REFRESH_INVALID, REFRESH_REUSED, SESSION_ENDED, TENANT_SUSPENDED, USER_DISABLED, MAINTENANCE */
    async refresh(caller: Caller, refreshToken: string): Promise<Grant> {
        const { config, operations, sessions, tenants, users, refreshTokens } = this.#parts;
        const claims = refreshTokens.open(refreshToken);
        if (!claims) throw apiError('REFRESH_INVALID');
        operations.checkMaintenance(claims.tenantId);
        const { userId, sessionId } = claims;
        const entry = { userId, action: 'auth.refresh', resource: 'session', resourceId: sessionId };
        const told = (result: string) => ({ audit: [audited(caller, { ...entry, result })] });
        const refused = Object.entries(REFRESH_REFUSALS).map(([code, refusal]) => [code, told(refusal)]);
        const { code, counter, user, tenant } = await sessions.refresh(claims, {
            graceMs: REFRESH_GRACE_MS,
            lifetimeMs: config.REFRESH_TOKEN_TTL * 1000,
            refreshed: told('success'),
            reused: {
                events: [{ type: 'auth.session_ended', data: { userId, sessionId } }],
                ...told('REFRESH_REUSED'),
            },
            refused: Object.fromEntries(refused),
        });
        if (code === -4) throw restoringError();
        const refusal = REFRESH_REFUSALS[code];
        if (refusal) throw apiError(refusal);
        return this.#grant(tenants.decode(tenant), users.decode(user), sessionId, counter);
    }

    /** Ends a session; the access token that asked for it, if it was one, is refused from now on. */
    async logout(caller: Caller, ended: EndedSession): Promise<void> {
        const { userId, sessionId } = ended;
        const entry = { userId, action: 'auth.logout', resource: 'session', resourceId: sessionId };
        await this.#parts.sessions.end(ended, {
            events: [{ type: 'auth.session_ended', data: { userId, sessionId } }],
            audit: [audited(caller, { ...entry, result: 'success' })],
        });
    }

    /** The session that an access or a refresh token belongs to, or null when neither is one of ours. */
    sessionOf(accessToken: string | null, refreshToken: string | null): EndedSession | null {
        const { accessTokens, refreshTokens } = this.#parts;
        const claims = accessToken === null ? null : accessTokens.open(accessToken);
        if (!claims) return refreshToken === null ? null : refreshTokens.open(refreshToken);
        const { tid, sub, sid, jti, exp } = claims;
        return { tenantId: tid, userId: sub, sessionId: sid, tokenId: jti, tokenExpiresAt: isoTime(exp * 1000) };
    }

    async me({ tenantId, userId, tier, permissions, expiresAt }: Actor) {
        const { users, tenants } = this.#parts;
        const [user, tenant] = await Promise.all([users.get(tenantId, userId), tenants.get(tenantId)]);
        return { user, tenant, tier, permissions, expiresAt };
    }

    /** The first admin of a tenant with a session, to be created together with it. */
    async #found(caller: Caller, details: Register, tenantId: string, sessionId: string): Promise<Founding> {
        const { sessions, users, passwords } = this.#parts;
        const { email, password, displayName = localPartOf(email) } = details;
        const passwordHash = await passwords.hash(password);
        const { user, draft } = users.draft(tenantId, { email, displayName, role: 'admin', passwordHash });
        const session = this.#session(caller, sessionId, user.id);
        const entry = { action: 'auth.register', resource: 'tenant', resourceId: tenantId, result: 'success' };
        return {
            drafts: [draft, sessions.records.draft(tenantId, session)],
            outbox: {
                events: [
                    { type: 'tenant.created', data: { tenantId } },
                    { type: 'user.created', data: { userId: user.id } },
                ],
                audit: [audited({ ...caller, userId: user.id }, entry)],
            },
        };
    }

    /** @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, SERVER_BUSY */
    async #checkPassword(caller: Caller, email: string, { place, tenantId, user }: Account, password: string) {
        const { attempts, passwords } = this.#parts;
        const refuse = (code: ErrorCode) =>
            tenantId === null || user === null
                ? this.#refuse(caller, PLATFORM, email, code)
                : this.#refuse(caller, tenantId, user.id, code);
        try {
            const isRight = () => passwords.verify(password, user?.passwordHash ?? null);
            if (await attempts.check(place, email, caller.ipAddress, isRight)) return;
        } catch (error) {
            if (isApiError(error, 'ACCOUNT_DELAYED')) await refuse('ACCOUNT_DELAYED');
            throw error;
        }
        throw await refuse('INVALID_CREDENTIALS');
    }

    /** A session of a user whose password was verified, or null when it was another by then. */
    async #begin(caller: Caller, tenant: Tenant, user: User, password: string): Promise<Grant | null> {
        const { sessions, passwords } = this.#parts;
        const session = this.#session(caller, newId('sess'), user.id);
        const entry = { action: 'auth.login', resource: 'user', resourceId: user.id, result: 'success' };
        const verified = user.passwordHash;
        if (verified === null) throw apiError('INVALID_CREDENTIALS');
        const rehashed = passwords.isOutdated(verified) ? await passwords.hash(password) : null;
        const hasBegun = await sessions.start(
            tenant.id,
            session,
            { verified, rehashed },
            {
                events: [{ type: 'auth.login', data: { userId: user.id, sessionId: session.id } }],
                audit: [audited({ ...caller, userId: user.id }, entry)],
            },
        );
        return hasBegun ? this.#grant(tenant, user, session.id, 0) : null;
    }

    /** @param tenantId Whose audit is told: the platform's where the tenant or the user does not exist */
    async #refuse(caller: Caller, tenantId: string, resourceId: string, code: ErrorCode) {
        const entry = { action: 'auth.login', resource: 'user', resourceId, result: code };
        await this.#parts.append(tenantId, { audit: [audited(caller, entry)] });
        return apiError(code);
    }

    #session({ ipAddress, userAgent }: Caller, id: string, userId: string) {
        const { clock, config } = this.#parts;
        const expiresAt = isoTime(clock() + config.REFRESH_TOKEN_TTL * 1000);
        return { id, userId, counter: 0, refreshedAt: null, ipAddress, userAgent, expiresAt, lastSeenAt: null };
    }

    #grant(tenant: Tenant, user: User, sessionId: string, counter: number): Grant {
        const { config, users, accessTokens, refreshTokens } = this.#parts;
        return {
            user: users.publish(user),
            tenant,
            expiresIn: config.ACCESS_TOKEN_TTL,
            accessToken: accessTokens.issue({
                sub: user.id,
                tid: tenant.id,
                sid: sessionId,
                jti: newId('jti'),
                username: user.username,
                scope: permissionsOf(user.role, tenant.id),
            }),
            refreshToken: refreshTokens.issue({ tenantId: tenant.id, userId: user.id, sessionId, counter }),
        };
    }
}
