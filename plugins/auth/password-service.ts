import { findAccount } from './account.ts';
import { sessionEnded } from './session-service.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';
import { checkStrength } from '../../src/security/check-strength.ts';
import { newUserToken, openUserToken } from '../../src/security/user-tokens.ts';

import type { ResetToken } from './api.ts';
import type { CredentialParts } from './credential-parts.ts';
import type { PasswordStore } from './password-store.ts';
import type { ChangePassword, ForgotPassword, ResetPassword } from './schemas.ts';
import type { Background } from '../../src/background.ts';
import type { Mailer } from '../../src/mail/mailer.ts';
import type { Actor, Caller } from '../../src/types/actor.ts';
import type { User } from '../users/api.ts';

const RESET_TOKEN = 'pr1';
const TOKEN_LIFETIME_MS = 3_600_000;
/** Mails of one user whose token is still good: nobody's mailbox is to be filled by somebody else. */
const MOST_MAILED = 3;

export interface PasswordParts extends CredentialParts {
    store: PasswordStore;
    /** Null where no mail server is configured. */
    mailer: Mailer | null;
    background: Background;
}

/** Changing a password, and choosing one anew without the old one. */
export class PasswordService {
    readonly #parts: PasswordParts;

    constructor(parts: PasswordParts) {
        this.#parts = parts;
    }

    /** @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, SERVER_BUSY */
    async check(actor: Actor, password: string): Promise<void> {
        await this.#verify(actor, password, 'auth.check_password');
    }

    /**
     * Changes the actor's password and ends all other sessions; how many there were.
     *
     * @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, SERVER_BUSY, VALIDATION_ERROR
     */
    async change(actor: Actor, { currentPassword, newPassword }: ChangePassword): Promise<number> {
        const { store, passwords } = this.#parts;
        const entry = { action: 'auth.password_change', resource: 'user', resourceId: actor.userId };
        const { user, verified } = await this.#verify(actor, currentPassword, entry.action);
        await this.#checkStrength(actor.tenantId, user, newPassword);
        const ended = await store.change(actor, await passwords.hash(newPassword), {
            verified,
            keepSession: actor.sessionId,
            outbox: changed(actor.userId, audited(actor, { ...entry, result: 'success' })),
            ended: sessionEnded(actor),
        });
        // The hash has changed since it was verified: the new one decides.
        return ended ?? this.change(actor, { currentPassword, newPassword });
    }

    /** Has a reset token mailed to the user, if there is one. All of it happens after the answer. */
    forgot(caller: Caller, forgot: ForgotPassword): void {
        this.#parts.background.run('auth', caller.requestId, () => this.#mailToken(caller, forgot));
    }

    /**
     * Gives the token's user another password and ends all sessions.
     *
     * @throws RESET_TOKEN_INVALID, SERVER_BUSY, VALIDATION_ERROR
     */
    async reset(caller: Caller, { token, newPassword }: ResetPassword): Promise<void> {
        const { store, users, passwords } = this.#parts;
        const claims = openUserToken(RESET_TOKEN, token);
        // Looked at first: only who has a token may have passwords judged and hashed.
        if (!claims || !(await store.hasResetToken(claims, claims.digest))) throw apiError('RESET_TOKEN_INVALID');
        const { tenantId, userId, digest } = claims;
        const user = await users.find(tenantId, userId);
        if (!user) throw apiError('RESET_TOKEN_INVALID');
        await this.#checkStrength(tenantId, user, newPassword);
        const entry = { userId, action: 'auth.password_reset', resource: 'user', resourceId: userId };
        const ended = await store.change(claims, await passwords.hash(newPassword), {
            digest,
            outbox: changed(userId, audited(caller, { ...entry, result: 'success' })),
            ended: sessionEnded({ ...caller, userId }),
        });
        if (ended === null) throw apiError('RESET_TOKEN_INVALID');
        await this.#parts.attempts.forget(tenantId, user.email);
    }

    /** @throws USER_NOT_FOUND */
    async createResetToken(actor: Actor, userId: string): Promise<ResetToken> {
        const { store, users } = this.#parts;
        const { tenantId } = actor;
        const user = await users.find(tenantId, userId);
        // Whoever was invited and has no password yet gets one by accepting.
        if (!user || user.passwordHash === null) throw apiError('USER_NOT_FOUND');
        const { token, digest } = newUserToken(RESET_TOKEN, tenantId, userId);
        const entry = { action: 'user.password_reset', resource: 'user', resourceId: userId, result: 'success' };
        const terms = { digest, lifetimeMs: TOKEN_LIFETIME_MS };
        const expiry = await store.addResetToken({ tenantId, userId }, terms, { audit: [audited(actor, entry)] });
        return { token, expiresAt: isoTime(expiry ?? 0) };
    }

    async #mailToken(caller: Caller, forgot: ForgotPassword): Promise<void> {
        const { store, mailer, append } = this.#parts;
        const { tenantId, user } = await findAccount(this.#parts, forgot);
        const entry = { action: 'auth.password_forgot', resource: 'user' };
        // Whoever was invited and has no password yet gets one by accepting.
        if (tenantId === null || !user?.isActive || user.passwordHash === null) {
            const unknown = { ...entry, resourceId: forgot.email, result: 'USER_NOT_FOUND' };
            return append(PLATFORM, { audit: [audited(caller, unknown)] });
        }
        const audit = (result: string) => ({ audit: [audited(caller, { ...entry, resourceId: user.id, result })] });
        if (!mailer) return append(tenantId, audit('NO_MAIL_SERVER'));
        const place = { tenantId, userId: user.id };
        const { token, digest } = newUserToken(RESET_TOKEN, tenantId, user.id);
        const terms = { digest, lifetimeMs: TOKEN_LIFETIME_MS, most: MOST_MAILED };
        const expiry = await store.addResetToken(place, terms, audit('success'));
        if (expiry === null) return append(tenantId, audit('RATE_LIMITED'));
        await mailer.send({ to: user.email, subject: 'Reset your password', text: mailText(token, expiry) });
    }

    /** The actor with the hash that the password fits. @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, SERVER_BUSY */
    async #verify(actor: Actor, password: string, action: string) {
        const { attempts, passwords } = this.#parts;
        const user = await this.#userOf(actor);
        const verified = user.passwordHash;
        const isRight = () => passwords.verify(password, verified);
        const fits = await attempts.check(actor.tenantId, user.email, actor.ipAddress, isRight);
        if (fits && verified !== null) return { user, verified };
        const entry = { action, resource: 'user', resourceId: actor.userId, result: 'INVALID_CREDENTIALS' };
        await this.#parts.append(actor.tenantId, { audit: [audited(actor, entry)] });
        throw apiError('INVALID_CREDENTIALS');
    }

    /** @throws SESSION_ENDED for a user who is gone */
    async #userOf(actor: Actor): Promise<User> {
        const user = await this.#parts.users.find(actor.tenantId, actor.userId);
        if (!user) throw apiError('SESSION_ENDED');
        return user;
    }

    async #checkStrength(tenantId: string, { email, displayName }: User, newPassword: string): Promise<void> {
        const { domain, name: tenantName } = await this.#parts.tenants.get(tenantId);
        await checkStrength('newPassword', newPassword, { email, displayName, domain, tenantName });
    }
}

const changed = (userId: string, entry: ReturnType<typeof audited>) => ({
    events: [{ type: 'user.password_changed', data: { userId } }],
    audit: [entry],
});

const mailText = (token: string, expiry: number): string =>
    [
        'Somebody, probably you, asked for a new password for your account.',
        'With this token you can choose one:',
        '',
        `    ${token}`,
        '',
        `It is good once, until ${isoTime(expiry)}. If it was not you, you need not do anything.`,
        '',
    ].join('\n');
