import { emailTerms } from './search-terms.ts';
import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection } from '../../src/redis/collection.ts';
import { createRecords, type Draft } from '../../src/redis/create-records.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';
import { refuseWhileRestoring } from '../../src/redis/restoring.ts';
import { nameTerms } from '../../src/redis/search-terms.ts';
import { RESTORABLE_MS, timeUntilPurge } from '../../src/redis/soft-delete.ts';

import type { User, UserChanges } from './api.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const FIELDS: Fields<User> = {
    username: 'text',
    email: 'text',
    displayName: 'text',
    role: 'text',
    tier: 'text',
    isActive: 'boolean',
    passwordHash: 'text',
    terms: 'json',
    epoch: 'time',
    deletedAt: 'time',
};

/** Under the id of the user that is invited. */
export interface Invitation extends RecordBase {
    hash: string;
    expiresAt: string;
}

/** What may change of a user. */
export interface UserChange {
    kind: 'update' | 'delete' | 'restore';
    changes: UserChanges;
    revision?: number | undefined;
    /** Keys of other features that go with a user who is deleted. */
    destroyed?: string[];
    outbox: Outbox;
}

export interface Acceptance {
    hash: string;
    passwordHash: string;
    displayName?: string | undefined;
    outbox: Outbox;
}

/** An invitation in the place of the one before; its lifetime is in milliseconds. */
export interface Renewal {
    hash: string;
    lifetime: number;
    outbox: Outbox;
}

/** What the codes of a change stand for. */
const REFUSALS: Record<number, ErrorCode> = {
    0: 'USER_NOT_FOUND',
    [-1]: 'REVISION_MISMATCH',
    [-2]: 'EMAIL_TAKEN',
    [-3]: 'LAST_ADMIN',
    [-4]: 'ALREADY_DELETED',
    [-5]: 'NOT_RESTORABLE',
};

const INVITE_REFUSALS: Record<number, ErrorCode> = {
    0: 'USER_NOT_FOUND',
    [-1]: 'ALREADY_DELETED',
    [-2]: 'INVITATION_ACCEPTED',
};

/** How many admins are told of something. */
const MOST_ADMINS = 100;

const isAdmin = ({ role, isActive, passwordHash }: Omit<User, keyof RecordBase>): boolean =>
    isActive && passwordHash !== null && (role === 'admin' || role === 'superadmin');

/** Users of a tenant: one record, one time index, one unique index, search terms, and the admins that can act. */
export class UserStore {
    readonly records: Collection<User>;
    readonly invitations: Collection<Invitation>;
    readonly #redis: Datastore['redis'];
    readonly #vault: Vault;
    readonly #codec = new RecordCodec<User>(FIELDS);
    readonly #create: ReturnType<typeof createRecords>;
    readonly #timeUntilPurge: ReturnType<typeof timeUntilPurge>;
    readonly #change: RunScript;
    readonly #accept: RunScript;
    readonly #invite: RunScript;
    readonly #search: RunScript;
    readonly #purge: RunScript;

    constructor(store: Datastore, vault: Vault) {
        this.#redis = store.redis;
        this.#vault = vault;
        this.records = new Collection<User>(store, vault, {
            name: 'user',
            fields: FIELDS,
            unique: [{ field: 'email', index: ['users', 'by-email'], taken: 'EMAIL_TAKEN' }],
            orders: { created: { by: 'createdAt', index: () => ['users'] } },
            words: [
                {
                    index: ['users', 'terms'],
                    members: ({ id, terms }) => [...terms.email, ...terms.displayName].map((term) => `${term}\0${id}`),
                },
                { index: ['users', 'admins'], members: (user) => (isAdmin(user) ? [user.id] : []) },
            ],
            notFound: 'USER_NOT_FOUND',
        });
        this.invitations = new Collection<Invitation>(store, vault, {
            name: 'invitation',
            fields: { hash: 'text', expiresAt: 'time' },
            notFound: 'INVITATION_INVALID',
        });
        this.#create = createRecords(store);
        this.#timeUntilPurge = timeUntilPurge(store);
        this.#change = store.script(lua('change-user'));
        this.#accept = store.script(lua('accept-invitation'));
        this.#invite = store.script(lua('renew-invitation'));
        this.#search = store.script(lua('search-users'));
        this.#purge = store.script(lua('purge-user'));
    }

    /** @throws EMAIL_TAKEN */
    create = (tenantId: string, drafts: Draft[], outbox: Outbox): Promise<number> =>
        this.#create(tenantId, drafts, outbox);

    /** @throws USER_NOT_FOUND, REVISION_MISMATCH, EMAIL_TAKEN, LAST_ADMIN, ALREADY_DELETED, NOT_RESTORABLE */
    async change(
        tenantId: string,
        id: string,
        { kind, changes, revision, destroyed = [], outbox }: UserChange,
    ): Promise<User> {
        const { isActive, ...fields } = changes;
        const { email, role } = fields;
        const change = {
            kind,
            id,
            revision: revision === undefined ? undefined : String(revision),
            ...this.#codec.encode(email === undefined ? fields : { ...fields, username: email }),
            email,
            role,
            isActive: isActive === undefined ? undefined : Number(isActive).toString(),
            terms: termsOf(fields),
            lifetime: RESTORABLE_MS,
            ...outboxLists(outbox),
        };
        const reply = await this.#change([...this.#keys(tenantId, id), ...destroyed], [JSON.stringify(change)]);
        const [code, user = []] = reply as [number, string[]?];
        if (code !== 1) throw apiError(REFUSALS[code] ?? 'USER_NOT_FOUND');
        return this.records.decode(user);
    }

    /** @throws INVITATION_INVALID */
    async accept(tenantId: string, id: string, { displayName, outbox, ...hashes }: Acceptance): Promise<User> {
        const [user, terms, ...rest] = this.#keys(tenantId, id).toSpliced(1, 1);
        const keys = [user ?? '', this.invitations.key(tenantId, id), terms ?? '', ...rest];
        const name = displayName === undefined ? {} : { displayName, terms: nameTerms(displayName) };
        const change = { id, ...hashes, ...name, ...outboxLists(outbox) };
        const [code, flat = []] = (await this.#accept(keys, [JSON.stringify(change)])) as [number, string[]?];
        if (code !== 1) throw apiError('INVITATION_INVALID');
        return this.records.decode(flat);
    }

    /** @throws USER_NOT_FOUND, ALREADY_DELETED, INVITATION_ACCEPTED */
    async invite(tenantId: string, id: string, { outbox, ...invitation }: Renewal): Promise<User> {
        const keys = [this.records.key(tenantId, id), this.invitations.key(tenantId, id), ...outboxKeys(tenantId)];
        const body = JSON.stringify({ id, ...invitation, ...outboxLists(outbox) });
        const [code, flat = []] = (await this.#invite(keys, [body])) as [number, string[]?];
        if (code !== 1) throw apiError(INVITE_REFUSALS[code] ?? 'USER_NOT_FOUND');
        return this.records.decode(flat);
    }

    /** A page of the users with a term that begins so. @throws INVALID_CURSOR */
    async search(tenantId: string, begin: string, { limit, cursor }: { limit: number; cursor?: string | undefined }) {
        const termsKey = this.termsKey(tenantId);
        const list = `${termsKey}:${begin}`;
        const after = cursor === undefined ? '' : openCursor(this.#vault, list, cursor).score;
        const seen = Buffer.from(after, 'base64url').toString();
        const keys = [termsKey, this.records.key(tenantId, '')];
        const reply = (await this.#search(keys, [begin, seen, limit])) as [number, string, ...string[][]];
        const [more, last, ...found] = reply;
        const score = Buffer.from(last).toString('base64url');
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id: '-' }) : null;
        return {
            items: found.map((flat) => this.records.decode(flat)),
            pagination: { cursor: next, limit, hasMore: next !== null },
        };
    }

    termsKey = (tenantId: string): string => tenantKey(tenantId, 'users', 'terms');

    checkRestoring = (tenantId: string): Promise<void> => refuseWhileRestoring(this.#redis, tenantId);

    /** Those who can act. */
    async admins(tenantId: string): Promise<User[]> {
        const ids = await this.#redis.zrange(tenantKey(tenantId, 'users', 'admins'), '0', String(MOST_ADMINS - 1));
        const found = await Promise.all(ids.map((id) => this.records.find({ tenantId }, id)));
        return found.filter((user) => user !== null);
    }

    timeUntilPurge = (tenantId: string, id: string) => this.#timeUntilPurge(this.records.key(tenantId, id));

    /** Removes the user itself; what other features keep of it has to be gone before. */
    async purge(tenantId: string, id: string, outbox: Outbox): Promise<void> {
        const keys = [
            ...this.#keys(tenantId, id),
            this.records.orderKey({ tenantId }, 'created'),
            this.invitations.key(tenantId, id),
        ];
        await this.#purge(keys, [JSON.stringify({ id, lifetime: RESTORABLE_MS, ...outboxLists(outbox) })]);
    }

    #keys(tenantId: string, id: string): string[] {
        return [
            this.records.key(tenantId, id),
            tenantKey(tenantId, 'users', 'by-email'),
            this.termsKey(tenantId),
            tenantKey(tenantId, 'users', 'admins'),
            ...outboxKeys(tenantId),
        ];
    }
}

/** The search terms that change with those fields. */
function termsOf({ email, displayName }: UserChanges): Partial<User['terms']> | undefined {
    if (email === undefined && displayName === undefined) return undefined;
    return {
        ...(email !== undefined && { email: emailTerms(email) }),
        ...(displayName !== undefined && { displayName: nameTerms(displayName) }),
    };
}
