import { emailTerms } from './search-terms.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { domainOf } from '../../src/mail/address.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';
import { foldTerm, nameTerms } from '../../src/redis/search-terms.ts';
import { RESTORABLE_MS, type PurgeTime } from '../../src/redis/soft-delete.ts';
import { checkStrength } from '../../src/security/check-strength.ts';
import { newUserToken, openUserToken } from '../../src/security/user-tokens.ts';

import type { KeysOf, NewUser, PublicUser, PurgeStep, Role, User, UserDetails, UserService } from './api.ts';
import type { Acceptance } from './schemas.ts';
import type { UserChange, UserStore } from './store.ts';
import type { UserChanges, UserPage, UserQuery } from './user.ts';
import type { Clock } from '../../src/clock.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { PageQuery } from '../../src/redis/collection.ts';
import type { Passwords } from '../../src/security/passwords.ts';
import type { Actor, Caller } from '../../src/types/actor.ts';

export const PURGE_USER = 'purge-user';

const DAY_MS = 24 * 3600 * 1000;
const INVITATION = 'it1';
const INVITATION_LIFETIME_MS = 7 * DAY_MS;
/** So that a purge is not asked for before its time by a clock that is a little ahead. */
const PURGE_MARGIN_MS = 60_000;

const TENANT_ROLES: Role[] = ['admin', 'user'];
const PLATFORM_ROLES: Role[] = ['superadmin', 'support', 'finance'];

export interface UserParts {
    store: UserStore;
    jobs: Jobs;
    passwords: Passwords;
    clock: Clock;
}

/** The users of a tenant, for its admins and for other features: hapi exposes its own properties only. */
export class Users implements UserService {
    readonly #parts: UserParts;
    readonly #purgeSteps: PurgeStep[] = [];
    readonly #destroyed: KeysOf[] = [];
    readonly #backedUp: KeysOf[] = [];

    constructor(parts: UserParts) {
        this.#parts = parts;
    }

    draft = (tenantId: string, { email, ...details }: NewUser) => {
        const user = {
            id: newId('user'),
            username: email,
            email,
            tier: null,
            isActive: true,
            terms: { email: emailTerms(email), displayName: nameTerms(details.displayName) },
            epoch: null,
            deletedAt: null,
            ...details,
        };
        return { user, draft: this.#parts.store.records.draft(tenantId, user) };
    };

    prepare = async (tenantId: string, { password, ...details }: UserDetails) => {
        const { store, passwords, clock } = this.#parts;
        const passwordHash = password === undefined ? null : await hashNew(passwords, password, details);
        const { user, draft } = this.draft(tenantId, { ...details, passwordHash });
        if (passwordHash !== null) return { user, drafts: [draft], token: null };
        const { token, digest: hash } = newUserToken(INVITATION, tenantId, user.id);
        const expiresAt = isoTime(clock() + INVITATION_LIFETIME_MS);
        return { user, drafts: [draft, store.invitations.draft(tenantId, { id: user.id, hash, expiresAt })], token };
    };

    /** @throws EMAIL_TAKEN, SERVER_BUSY, VALIDATION_ERROR when the tenant has no such role */
    create = async (actor: Actor, details: UserDetails): Promise<{ user: PublicUser; token: string | null }> => {
        checkRole(actor.tenantId, details.role);
        const { user, drafts, token } = await this.prepare(actor.tenantId, details);
        await this.#parts.store.create(actor.tenantId, drafts, changeOf(actor, 'create', user.id));
        return { user: await this.get(actor.tenantId, user.id), token };
    };

    /** A new invitation in the place of the one before. @throws USER_NOT_FOUND, ALREADY_DELETED, INVITATION_ACCEPTED */
    invite = async (actor: Actor, userId: string): Promise<{ user: PublicUser; token: string }> => {
        const { token, digest: hash } = newUserToken(INVITATION, actor.tenantId, userId);
        const outbox = changeOf(actor, 'invite', userId);
        const invitation = { hash, lifetime: INVITATION_LIFETIME_MS, outbox };
        return { user: this.publish(await this.#parts.store.invite(actor.tenantId, userId, invitation)), token };
    };

    /** @throws INVITATION_INVALID, SERVER_BUSY */
    accept = async (caller: Caller, { token, password, displayName }: Acceptance): Promise<PublicUser> => {
        const { store, passwords } = this.#parts;
        const claims = openUserToken(INVITATION, token);
        if (!claims) throw apiError('INVITATION_INVALID');
        const { tenantId, userId, digest: hash } = claims;
        await store.checkRestoring(tenantId);
        const invitation = await store.invitations.find({ tenantId }, userId);
        if (invitation?.hash !== hash) throw apiError('INVITATION_INVALID');
        const { email } = await store.records.get({ tenantId }, userId);
        const passwordHash = await hashNew(passwords, password, { email, displayName });
        const entry = { action: 'user.accept', resource: 'user', resourceId: userId, result: 'success' };
        const outbox: Outbox = {
            events: [{ type: 'user.joined', data: { userId } }],
            audit: [audited({ ...caller, userId }, entry)],
        };
        return this.publish(await store.accept(tenantId, userId, { hash, passwordHash, displayName, outbox }));
    };

    /**
     * By creation, or with `q` those of whom a name or the e-mail begins so, in alphabetical order. @throws
     * INVALID_CURSOR
     */
    list = async ({ tenantId }: Pick<Actor, 'tenantId'>, { q, ...query }: UserQuery): Promise<UserPage> => {
        const { records } = this.#parts.store;
        const page: PageQuery = { order: 'created', ...query };
        const { items, pagination } = await (q === undefined
            ? records.list({ tenantId }, page)
            : this.#parts.store.search(tenantId, foldTerm(q), query));
        return { items: items.map((user) => this.publish(user)), pagination };
    };

    get = async (tenantId: string, userId: string): Promise<PublicUser> => {
        return this.publish(await this.#parts.store.records.get({ tenantId }, userId));
    };

    change = async (
        actor: Actor,
        userId: string,
        changes: UserChanges,
        { revision, reason }: { revision?: number | undefined; reason?: string | undefined } = {},
    ): Promise<PublicUser> => {
        if (changes.role) checkRole(actor.tenantId, changes.role);
        const details = { fields: Object.keys(changes), ...(reason !== undefined && { reason }) };
        const outbox = changeOf(actor, 'update', userId, details);
        return this.#change(actor, userId, { kind: 'update', changes, revision, outbox });
    };

    remove = async (actor: Actor, userId: string, revision?: number): Promise<PublicUser> => {
        const { jobs, clock } = this.#parts;
        const { tenantId } = actor;
        const user = await this.get(tenantId, userId);
        // Asked for first: if the process dies now, the job finds nothing to do. The other way round it would be missed.
        // One job a day is enough for all tries of a deletion that is refused.
        const id = [PURGE_USER, userId, user.revision, Math.floor(clock() / DAY_MS)].join('-');
        const { requestId } = actor;
        await jobs.add(PURGE_USER, { tenantId, userId, requestId }, { delay: RESTORABLE_MS + PURGE_MARGIN_MS, id });
        const outbox = changeOf(actor, 'delete', userId);
        const destroyed = this.#destroyed.flatMap((keysOf) => keysOf(actor.tenantId, userId));
        const changes = { isActive: false };
        return this.#change(actor, userId, { kind: 'delete', changes, revision, destroyed, outbox });
    };

    /** @throws USER_NOT_FOUND, NOT_RESTORABLE */
    restore = (actor: Actor, userId: string): Promise<PublicUser> => {
        const outbox = changeOf(actor, 'restore', userId);
        return this.#change(actor, userId, { kind: 'restore', changes: { isActive: true }, outbox });
    };

    onPurge = (step: PurgeStep): void => {
        this.#purgeSteps.push(step);
    };

    destroyWith = (keysOf: KeysOf): void => {
        this.#destroyed.push(keysOf);
    };

    backUpWith = (keysOf: KeysOf): void => {
        this.#backedUp.push(keysOf);
    };

    ids = (tenantId: string): AsyncIterable<string[]> => this.#parts.store.records.ids({ tenantId }, 'created');

    /** What other features keep of a user that is backed up with him. */
    backedUp = (tenantId: string, userId: string): string[] =>
        this.#backedUp.flatMap((keysOf) => keysOf(tenantId, userId));

    /** Removes what other features keep of a user. */
    removeKept = async (tenantId: string, userId: string): Promise<void> => {
        for (const step of this.#purgeSteps) await step(tenantId, userId);
    };

    /** Asks for the purge of a user again, if he is deleted. */
    askForPurge = async (tenantId: string, userId: string): Promise<void> => {
        const time = await this.#parts.store.timeUntilPurge(tenantId, userId);
        if (time) await this.#purgeLater(tenantId, userId, time);
    };

    purge = async (tenantId: string, userId: string): Promise<void> => {
        const { store } = this.#parts;
        // The job is tried again later.
        await store.checkRestoring(tenantId);
        const time = await store.timeUntilPurge(tenantId, userId);
        if (!time) return;
        // Restored and deleted again since the job was added.
        if (time.left > 0) return this.#purgeLater(tenantId, userId, time);
        await this.removeKept(tenantId, userId);
        const entry = { action: 'user.purge', resource: 'user', resourceId: userId, result: 'success' };
        await store.purge(tenantId, userId, { events: [{ type: 'user.purged', data: { userId } }], audit: [entry] });
    };

    find = (tenantId: string, userId: string): Promise<User | null> => {
        return this.#parts.store.records.find({ tenantId }, userId);
    };

    admins = async (tenantId: string): Promise<PublicUser[]> => {
        const admins = await this.#parts.store.admins(tenantId);
        return admins.map((admin) => this.publish(admin));
    };

    findByEmail = async (tenantId: string, email: string): Promise<User | null> => {
        const { records } = this.#parts.store;
        const id = await records.findId(tenantId, 'email', email);
        return id === null ? null : records.find({ tenantId }, id);
    };

    publish = ({ passwordHash: _secret, epoch: _epoch, terms: _terms, ...user }: User): PublicUser => {
        return user;
    };

    renaming = (tenantId: string, displayName: string) => {
        return { termsKey: this.#parts.store.termsKey(tenantId), terms: { displayName: nameTerms(displayName) } };
    };

    key = (tenantId: string, userId: string): string => {
        return this.#parts.store.records.key(tenantId, userId);
    };

    decode = (flat: string[]): User => {
        return this.#parts.store.records.decode(flat);
    };

    async #purgeLater(tenantId: string, userId: string, { left, due }: PurgeTime): Promise<void> {
        const id = [PURGE_USER, userId, due, left].join('-');
        await this.#parts.jobs.add(PURGE_USER, { tenantId, userId }, { delay: left + PURGE_MARGIN_MS, id });
    }

    async #change({ tenantId }: Actor, userId: string, change: UserChange): Promise<PublicUser> {
        return this.publish(await this.#parts.store.change(tenantId, userId, change));
    }
}

/** @throws VALIDATION_ERROR */
function checkRole(tenantId: string, role: Role): void {
    const roles = tenantId === PLATFORM ? PLATFORM_ROLES : TENANT_ROLES;
    if (roles.includes(role)) return;
    throw apiError('VALIDATION_ERROR', { details: { fields: { role: `role must be one of [${roles.join(', ')}]` } } });
}

function changeOf(
    actor: Actor,
    action: 'create' | 'update' | 'delete' | 'restore' | 'invite',
    userId: string,
    details?: Record<string, unknown>,
): Outbox {
    const entry = { action: `user.${action}`, resource: 'user', resourceId: userId, result: 'success' };
    const event: EventEntry = { type: `user.${action}d`, data: { userId } };
    return { events: [event], audit: [audited(actor, { ...entry, ...(details && { details }) })] };
}

/** @throws VALIDATION_ERROR when the password is easy to guess; SERVER_BUSY */
async function hashNew(
    passwords: Passwords,
    password: string,
    { email, displayName }: { email: string; displayName?: string | undefined },
): Promise<string> {
    await checkStrength('password', password, { email, displayName, domain: domainOf(email), tenantName: '' });
    return passwords.hash(password);
}
