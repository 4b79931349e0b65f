import { TUNNEL_NEWS, type Access, type TunnelEndpoint, type TunnelNews, type TunnelPlace } from './api.ts';
import {
    activityKey,
    endpointsKey,
    healthKey,
    sharedTunnelsKey,
    sharedWithKey,
    sharesKey,
    usersKey,
} from './keys-store.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type Fields, type RecordBase } from '../../src/redis/codec.ts';
import { Collection, type Place } from '../../src/redis/collection.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const ENDPOINTS_AT_MOST = 20;
const SHARES_AT_MOST = 100;
const TOKEN_LIFETIME_MS = 24 * 3_600_000;

/** Who has access to a tunnel besides its owner: a user of the tenant, or who has the token. */
export interface Share extends RecordBase {
    tunnelId: string;
    /** Null: it is a token's. */
    userId: string | null;
    access: Access;
    tokenHash: string | null;
    expiresAt: string | null;
    /** Null: any number. */
    maxUses: number | null;
    uses: number;
    lastUsedAt: string | null;
}

const ENDPOINT_FIELDS: Fields<TunnelEndpoint> = { tunnelId: 'text', url: 'text', priority: 'number', weight: 'number' };
const SHARE_FIELDS: Fields<Share> = {
    tunnelId: 'text',
    userId: 'text',
    access: 'text',
    tokenHash: 'text',
    expiresAt: 'time',
    maxUses: 'number',
    uses: 'number',
    lastUsedAt: 'time',
};

export type NewEndpoint = Omit<TunnelEndpoint, 'revision' | 'createdAt' | 'updatedAt'>;
export type NewShare = Pick<Share, 'id' | 'tunnelId' | 'userId' | 'access' | 'tokenHash' | 'maxUses'>;

/** A change to an endpoint that is there, by a user, who is noted in the activity. */
export interface EndpointDeed {
    actorId: string;
    outbox: Outbox;
    revision?: number | undefined;
}

/** A change to what belongs to a tunnel; of whose tunnel, and by whom. */
export interface ItemDeed {
    ownerId: string;
    actorId: string;
    outbox: Outbox;
}

/** Endpoints and shares of tunnels: `tunnel-endpoint:<id>`, `tunnel-share:<id>`, and a list of each tunnel's. */
export class ItemStore {
    readonly endpoints: Collection<TunnelEndpoint>;
    readonly shares: Collection<Share>;
    readonly #store: Datastore;
    readonly #tunnelKey: (tenantId: string, tunnelId: string) => string;
    readonly #add: RunScript;
    readonly #updateEndpoint: RunScript;
    readonly #removeEndpoint: RunScript;
    readonly #removeShare: RunScript;

    constructor(store: Datastore, vault: Vault, tunnelKey: (tenantId: string, tunnelId: string) => string) {
        this.#store = store;
        this.#tunnelKey = tunnelKey;
        const orders = (list: string) => ({
            created: { by: 'createdAt' as const, index: (tunnelId: string) => ['tunnel', tunnelId, list] },
        });
        this.endpoints = new Collection<TunnelEndpoint>(store, vault, {
            name: 'tunnel-endpoint',
            owner: 'tunnelId',
            fields: ENDPOINT_FIELDS,
            orders: orders('endpoints'),
            notFound: 'ENDPOINT_NOT_FOUND',
        });
        this.shares = new Collection<Share>(store, vault, {
            name: 'tunnel-share',
            owner: 'tunnelId',
            fields: SHARE_FIELDS,
            orders: orders('shares'),
            notFound: 'SHARE_NOT_FOUND',
        });
        this.#add = store.script(lua('add-tunnel-item'));
        this.#updateEndpoint = store.script(lua('update-endpoint'));
        this.#removeEndpoint = store.script(lua('remove-endpoint'));
        this.#removeShare = store.script(lua('remove-share'));
    }

    /** @throws TUNNEL_NOT_FOUND, QUOTA_EXCEEDED */
    async addEndpoint(tenantId: string, endpoint: NewEndpoint, deed: ItemDeed): Promise<TunnelEndpoint> {
        const { id, tunnelId, ...values } = endpoint;
        const place = { tenantId, tunnelId };
        const { set: fields } = new RecordCodec<TunnelEndpoint>(ENDPOINT_FIELDS).encode({ tunnelId, ...values });
        const time = await this.#addItem(place, deed, {
            keys: [this.endpoints.key(tenantId, id), endpointsKey(place)],
            most: ENDPOINTS_AT_MOST,
            quota: 'tunnelEndpoints',
            change: { id, fields, note: 'endpoint_added', noted: ['userId', deed.actorId, 'endpointId', id] },
            news: [TUNNEL_NEWS, configChanged(place)],
        });
        return { ...endpoint, revision: 1, createdAt: time, updatedAt: time };
    }

    /** @throws ENDPOINT_NOT_FOUND, REVISION_MISMATCH */
    updateEndpoint(
        place: TunnelPlace,
        id: string,
        changes: Partial<TunnelEndpoint>,
        deed: EndpointDeed,
    ): Promise<TunnelEndpoint> {
        const { set } = new RecordCodec<TunnelEndpoint>(ENDPOINT_FIELDS).encode(changes);
        return this.#changeEndpoint(this.#updateEndpoint, place, id, { keys: [], set, ...deed });
    }

    /** Gives what it was. @throws ENDPOINT_NOT_FOUND, REVISION_MISMATCH */
    removeEndpoint(place: TunnelPlace, id: string, deed: EndpointDeed): Promise<TunnelEndpoint> {
        return this.#changeEndpoint(this.#removeEndpoint, place, id, { keys: [endpointsKey(place)], ...deed });
    }

    /** @throws TUNNEL_NOT_FOUND, QUOTA_EXCEEDED, ALREADY_SHARED */
    async addShare(tenantId: string, share: NewShare, deed: ItemDeed): Promise<Share> {
        const { id, tunnelId, userId, access, ...values } = share;
        const place = { tenantId, tunnelId };
        const codec = new RecordCodec<Share>(SHARE_FIELDS);
        const { set: fields } = codec.encode({ tunnelId, userId, access, ...values, uses: 0 });
        const isUser = userId !== null;
        const time = await this.#addItem(place, deed, {
            keys: [
                this.shares.key(tenantId, id),
                sharesKey(place),
                ...(isUser ? [sharedWithKey(place), sharedTunnelsKey(tenantId, userId)] : []),
            ],
            most: SHARES_AT_MOST,
            quota: 'tunnelShares',
            change: {
                id,
                fields,
                ...(isUser ? { sharedWith: userId, access } : { lifetimeMs: TOKEN_LIFETIME_MS }),
                note: 'share_added',
                noted: ['userId', deed.actorId, 'shareId', id],
            },
        });
        const expiresAt = isUser ? null : isoTime(Date.parse(time) + TOKEN_LIFETIME_MS);
        return { ...share, expiresAt, uses: 0, lastUsedAt: null, revision: 1, createdAt: time, updatedAt: time };
    }

    /** @throws SHARE_NOT_FOUND */
    async removeShare(
        place: TunnelPlace,
        shareId: string,
        { actorId, outbox }: Omit<ItemDeed, 'ownerId'>,
    ): Promise<void> {
        const { tenantId, tunnelId } = place;
        const keys = [
            this.shares.key(tenantId, shareId),
            ...outboxKeys(tenantId),
            activityKey(place),
            sharesKey(place),
            sharedWithKey(place),
            usersKey(tenantId),
        ];
        const noted = ['userId', actorId, 'shareId', shareId];
        const change = { id: shareId, ownerField: 'tunnelId', ownerId: tunnelId, noted, ...outboxLists(outbox) };
        const news: TunnelNews = { kind: 'share_revoked', tenantId, tunnelId, shareId };
        const code = await this.#removeShare(keys, [JSON.stringify(change), TUNNEL_NEWS, JSON.stringify(news)]);
        if (code !== 1) throw apiError('SHARE_NOT_FOUND');
    }

    /** The tunnels that are shared with a user. */
    tunnelsOf = (tenantId: string, userId: string): Promise<string[]> =>
        this.#store.redis.zrange(sharedTunnelsKey(tenantId, userId), 0, '-1');

    /** What the keys of endpoints and shares begin with. */
    prefixes = (tenantId: string): [string, string] => [
        this.endpoints.key(tenantId, ''),
        this.shares.key(tenantId, ''),
    ];

    /** All endpoints of a tunnel, by their creation. */
    async allEndpoints({ tenantId, tunnelId }: TunnelPlace): Promise<TunnelEndpoint[]> {
        const place: Place = { tenantId, ownerId: tunnelId };
        const page = { order: 'created', direction: 'asc', limit: ENDPOINTS_AT_MOST } as const;
        return (await this.endpoints.list(place, page)).items;
    }

    async #changeEndpoint(
        run: RunScript,
        place: TunnelPlace,
        id: string,
        { keys, set, revision, actorId, outbox }: EndpointDeed & { keys: string[]; set?: string[] },
    ): Promise<TunnelEndpoint> {
        const { tenantId, tunnelId } = place;
        const all = [
            this.endpoints.key(tenantId, id),
            ...outboxKeys(tenantId),
            activityKey(place),
            healthKey(place),
            ...keys,
        ];
        const change = {
            id,
            ownerField: 'tunnelId',
            ownerId: tunnelId,
            ...(revision !== undefined && { revision: String(revision) }),
            set,
            noted: ['userId', actorId, 'endpointId', id],
            ...outboxLists(outbox),
        };
        const args = [JSON.stringify(change), TUNNEL_NEWS, configChanged(place)];
        const [code, found = []] = (await run(all, args)) as [number, string[]?];
        if (code === -1) throw apiError('REVISION_MISMATCH');
        if (code !== 1) throw apiError('ENDPOINT_NOT_FOUND');
        return this.endpoints.decode(found);
    }

    async #addItem(
        place: TunnelPlace,
        { ownerId, outbox }: ItemDeed,
        { keys, most, quota, change, news = [] }: NewItem,
    ): Promise<string> {
        const { tenantId, tunnelId } = place;
        const tunnel = { id: tunnelId, ownerField: 'userId', ownerId };
        const all = [this.#tunnelKey(tenantId, tunnelId), ...outboxKeys(tenantId), activityKey(place), ...keys];
        const body = JSON.stringify({ tunnel, most, ...change, ...outboxLists(outbox) });
        const [code, at = 0] = (await this.#add(all, [body, ...news])) as [number, number?];
        if (code === 1) return isoTime(at);
        if (code === -1) {
            throw apiError('QUOTA_EXCEEDED', { details: { quota, used: most, limit: most, resetsAt: null } });
        }
        throw apiError(code === -2 ? 'ALREADY_SHARED' : 'TUNNEL_NOT_FOUND');
    }
}

interface NewItem {
    keys: string[];
    most: number;
    quota: string;
    change: object;
    /** Channel and message, where open links are to follow. */
    news?: string[];
}

const configChanged = (place: TunnelPlace): string =>
    JSON.stringify({ kind: 'config_changed', ...place } satisfies TunnelNews);
