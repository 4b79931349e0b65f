import { Collection } from '../../src/redis/collection.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type AuditEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { Session } from './api.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { RefreshClaims } from '../../src/security/refresh-tokens.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Where a user is. */
export interface UserPlace {
    tenantId: string;
    userId: string;
}

/** A session to be ended, with the access token to be revoked where one is at hand. */
export interface EndedSession extends UserPlace {
    sessionId: string;
    tokenId?: string;
    tokenExpiresAt?: string;
}

export type NewSession = Omit<Session, keyof RecordBase> & { id: string };

export interface RefreshTerms {
    /** How long a token that was used gives its successor again. */
    graceMs: number;
    /** How long a session lives from now on. */
    lifetimeMs: number;
    /** What is written when the refresh succeeds. */
    refreshed: Outbox;
    /** What is written when it shows that a token was used twice. */
    reused: Outbox;
    /** What is written when it is refused, by the codes of the script. */
    refused: Record<number, Outbox>;
}

/** Sessions and the access tokens that were revoked with them. */
export class SessionStore {
    readonly records: Collection<Session>;
    readonly #tenants: TenantService;
    readonly #users: UserService;
    readonly #redis: Datastore['redis'];
    readonly #start: RunScript;
    readonly #refresh: RunScript;
    readonly #end: RunScript;
    readonly #list: RunScript;
    readonly #endSome: RunScript;

    constructor(store: Datastore, vault: Vault, tenants: TenantService, users: UserService) {
        this.#redis = store.redis;
        this.#tenants = tenants;
        this.#users = users;
        this.records = new Collection<Session>(store, vault, {
            name: 'session',
            owner: 'userId',
            fields: {
                userId: 'text',
                counter: 'number',
                refreshedAt: 'time',
                ipAddress: 'text',
                userAgent: 'text',
                expiresAt: 'time',
                lastSeenAt: 'time',
            },
            orders: { expiry: { by: 'expiresAt', index: (userId) => ['user', userId, 'sessions'] } },
            notFound: 'SESSION_ENDED',
        });
        this.#start = store.script(lua('start-session'));
        this.#refresh = store.script(lua('refresh-session'));
        this.#end = store.script(lua('end-session'));
        this.#list = store.script(lua('list-sessions'));
        this.#endSome = store.script(lua('end-sessions'));
    }

    /** Begins a session; whether the user still has the hash that was verified. `rehashed` takes its place. */
    async start(
        tenantId: string,
        session: NewSession,
        { verified, rehashed }: { verified: string; rehashed: string | null },
        outbox: Outbox,
    ): Promise<boolean> {
        const { userId, id, expiresAt } = session;
        const keys = [
            this.records.key(tenantId, id),
            this.#users.key(tenantId, userId),
            this.#orderKey({ tenantId, userId }),
            ...outboxKeys(tenantId),
        ];
        const { fields } = this.records.draft(tenantId, session).change;
        const change = JSON.stringify({ fields, ...outboxLists(outbox) });
        return (await this.#start(keys, [id, verified, rehashed ?? '', Date.parse(expiresAt), change])) === 1;
    }

    /** Takes the next step of a session's refresh counter; the codes are the script's. */
    async refresh(claims: RefreshClaims, { graceMs, lifetimeMs, refreshed, reused, refused }: RefreshTerms) {
        const { tenantId, userId, sessionId, counter } = claims;
        const keys = [
            this.records.key(tenantId, sessionId),
            this.#tenants.key(tenantId),
            this.#users.key(tenantId, userId),
            this.#orderKey(claims),
            ...outboxKeys(tenantId),
        ];
        const lists = JSON.stringify({
            refreshed: outboxLists(refreshed),
            reused: outboxLists(reused),
            refused: Object.fromEntries(Object.entries(refused).map(([code, one]) => [code, outboxLists(one)])),
        });
        const reply = await this.#refresh(keys, [sessionId, userId, counter, graceMs, lifetimeMs, lists]);
        const [code, next = 0, user = [], tenant = []] = reply as [number, number?, string[]?, string[]?];
        return { code, counter: next, user, tenant };
    }

    /** Ends a session, which may have ended before. */
    async end({ tenantId, userId, sessionId, tokenId, tokenExpiresAt }: EndedSession, outbox: Outbox): Promise<void> {
        const keys = [
            this.records.key(tenantId, sessionId),
            this.#orderKey({ tenantId, userId }),
            ...outboxKeys(tenantId),
            ...(tokenId === undefined ? [] : [this.revokedKey(tenantId, tokenId)]),
        ];
        const expiry = tokenExpiresAt === undefined ? 0 : Date.parse(tokenExpiresAt);
        await this.#end(keys, [sessionId, expiry, JSON.stringify(outboxLists(outbox))]);
    }

    /** The sessions of a user that are alive. */
    async list(place: UserPlace, limit: number): Promise<Session[]> {
        const { tenantId, userId } = place;
        const keys = [...this.keysOf(place), this.#tenants.key(tenantId), this.#users.key(tenantId, userId)];
        const found = (await this.#list(keys, [limit])) as string[][];
        return found.map((flat) => this.records.decode(flat));
    }

    /** Ends one session of a user, or all but one; how many there were. */
    async endSome(place: UserPlace, which: { only?: string; except?: string }, entry: AuditEntry): Promise<number> {
        const keys = [...this.keysOf(place), ...outboxKeys(place.tenantId)];
        const ended = JSON.stringify(endedSessions(place, entry));
        return (await this.#endSome(keys, [which.only ?? '', which.except ?? '', ended])) as number;
    }

    /** Removes the sessions of a user. */
    purge(tenantId: string, userId: string): Promise<void> {
        return this.records.purge({ tenantId, ownerId: userId }, 'expiry', (ids) =>
            this.#redis.unlink(ids.map((id) => this.records.key(tenantId, id))),
        );
    }

    /** For scripts that end all sessions of a user: the list of them, and what their keys begin with. */
    keysOf(place: UserPlace): [order: string, prefix: string] {
        return [this.#orderKey(place), this.records.key(place.tenantId, '')];
    }

    revokedKey(tenantId: string, tokenId: string): string {
        return tenantKey(tenantId, 'revoked', tokenId);
    }

    #orderKey({ tenantId, userId }: UserPlace): string {
        return this.records.orderKey({ tenantId, ownerId: userId }, 'expiry');
    }
}

/** What `end-sessions.lua` tells of each session. */
export const endedSessions = ({ userId }: UserPlace, entry: AuditEntry) => ({
    userId,
    audit: outboxLists({ audit: [entry] }).audit[0],
});
