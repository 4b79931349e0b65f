import {
    TUNNEL_NEWS,
    type Access,
    type Tunnel,
    type TunnelConfig,
    type TunnelNews,
    type TunnelPlace,
    type TunnelUse,
} from './api.ts';
import {
    activityKey,
    daysKey,
    endpointsKey,
    healthKey,
    namesKey,
    sharedWithKey,
    sharesKey,
    usersKey,
} from './keys-store.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection, type Place } from '../../src/redis/collection.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
/** How many days figures are kept. */
export const DAYS_KEPT = 90;

const FIELDS: Fields<Tunnel> = {
    userId: 'text',
    name: 'text',
    config: 'json',
    status: 'text',
    desired: 'text',
    tokenHash: 'text',
    tokenChangedAt: 'time',
    connectionId: 'text',
    epoch: 'number',
    agent: 'text',
    connectedAt: 'time',
    disconnectedAt: 'time',
    reason: 'text',
    linkUntil: 'time',
};

/** What a new tunnel is given; the rest follows from its being new. */
export type NewTunnel = Pick<Tunnel, 'id' | 'userId' | 'name' | 'config' | 'tokenHash'>;
/** The tunnel, or how many its user may have and has. */
export type Creation = { tunnel: Tunnel } | { most: number };

/** A change by a user, who is noted in the activity. */
export interface Deed {
    actorId: string;
    outbox: Outbox;
}

export interface TunnelChange {
    name?: string | undefined;
    /** What the configuration goes back to, before what `config` names. */
    defaults?: TunnelConfig | undefined;
    config: Partial<TunnelConfig>;
    revision?: number | undefined;
}

type Names = 'create-tunnel' | 'update-tunnel' | 'start-tunnel' | 'stop-tunnel' | 'rotate-token' | 'delete-tunnel';

/** Tunnels of users: `tunnel:<id>` with what belongs to it, a list of each user's and their names. */
export class TunnelStore {
    readonly records: Collection<Tunnel>;
    readonly #store: Datastore;
    readonly #codec = new RecordCodec<Tunnel>(FIELDS);
    readonly #tenantKey: (tenantId: string) => string;
    readonly #run: Record<Names, RunScript>;

    constructor(store: Datastore, vault: Vault, tenantKeyOf: (tenantId: string) => string) {
        this.#store = store;
        this.#tenantKey = tenantKeyOf;
        this.records = new Collection<Tunnel>(store, vault, {
            name: 'tunnel',
            owner: 'userId',
            fields: FIELDS,
            orders: {
                created: { by: 'createdAt', index: (userId) => ['user', userId, 'tunnels'] },
                // Kept by the scripts of shares: what is shared with a user is somebody else's.
                shared: { by: 'createdAt', index: (userId) => ['user', userId, 'shared-tunnels'] },
            },
            notFound: 'TUNNEL_NOT_FOUND',
        });
        this.#run = {
            'create-tunnel': store.script(lua('create-tunnel')),
            'update-tunnel': store.script(lua('update-tunnel')),
            'start-tunnel': store.script(lua('start-tunnel')),
            'stop-tunnel': store.script(lua('stop-tunnel')),
            'rotate-token': store.script(lua('rotate-token')),
            'delete-tunnel': store.script(lua('delete-tunnel')),
        };
    }

    /** @param most What the tier allows; null: no limit. @throws NAME_TAKEN */
    async create(tenantId: string, tunnel: NewTunnel, most: number | null, { outbox }: Deed): Promise<Creation> {
        const { id, name, userId, ...values } = tunnel;
        const { set: fields } = this.#codec.encode({ ...values, userId, name, ...AT_FIRST });
        const keys = [
            ...this.#changeKeys({ tenantId, tunnelId: id }),
            this.records.orderKey({ tenantId, ownerId: userId }, 'created'),
            namesKey(tenantId, userId),
            this.#tenantKey(tenantId),
        ];
        const body = JSON.stringify({ id, name, userId, fields, most, ...outboxLists(outbox) });
        const [code, figure = 0] = (await this.#run['create-tunnel'](keys, [body])) as [number, number?];
        if (code === -2) return { most: figure };
        if (code !== 1) throw apiError('NAME_TAKEN');
        const time = isoTime(figure);
        return {
            tunnel: { ...tunnel, ...AT_FIRST, revision: 1, createdAt: time, updatedAt: time, tokenChangedAt: time },
        };
    }

    /** Null: there is no such tunnel. */
    async forCall({ tenantId, tunnelId }: TunnelPlace): Promise<Pick<TunnelUse, 'ownerId' | 'config'> | null> {
        const key = this.records.key(tenantId, tunnelId);
        const [ownerId, config] = await this.#store.redis.hmget(key, 'userId', 'config');
        return ownerId && config ? { ownerId, config: JSON.parse(config) as TunnelConfig } : null;
    }

    /** With which access, by which share, a tunnel is shared with a user. */
    async sharedWith(place: TunnelPlace, userId: string): Promise<{ access: Access; shareId: string } | null> {
        const found = await this.#store.redis.hget(sharedWithKey(place), userId);
        const [access = '', shareId = ''] = found?.split(':') ?? [];
        return found === null ? null : { access: access === 'write' ? 'write' : 'read', shareId };
    }

    /** @throws TUNNEL_NOT_FOUND, REVISION_MISMATCH, NAME_TAKEN */
    async update(place: Required<Place>, tunnelId: string, change: TunnelChange, deed: Deed): Promise<Tunnel> {
        const keys = [
            ...this.#changeKeys({ tenantId: place.tenantId, tunnelId }),
            namesKey(place.tenantId, place.ownerId),
        ];
        const [code, found = []] = await this.#change('update-tunnel', place, tunnelId, deed, {
            keys,
            news: 'config_changed',
            ...change,
        });
        if (code === -2) throw apiError('NAME_TAKEN');
        return this.#read(code, found as string[]);
    }

    /** @throws TUNNEL_NOT_FOUND, INVALID_STATE */
    async start(place: Required<Place>, tunnelId: string, deed: Deed): Promise<Tunnel> {
        const [code, found] = await this.#change('start-tunnel', place, tunnelId, deed, { news: 'config_changed' });
        if (code === -2) throw apiError('INVALID_STATE', { details: { from: String(found), to: 'connecting' } });
        return this.#read(code, found as string[]);
    }

    /** @throws TUNNEL_NOT_FOUND, INVALID_STATE */
    async stop(place: Required<Place>, tunnelId: string, deed: Deed): Promise<Tunnel> {
        const [code, found] = await this.#change('stop-tunnel', place, tunnelId, deed, { news: 'stopped' });
        if (code === -2) throw apiError('INVALID_STATE', { details: { from: String(found), to: 'disconnected' } });
        return this.#read(code, found as string[]);
    }

    /** @throws TUNNEL_NOT_FOUND */
    async rotate(place: Required<Place>, tunnelId: string, tokenHash: string, deed: Deed): Promise<Tunnel> {
        const change = { news: 'token_changed', tokenHash } as const;
        const [code, found] = await this.#change('rotate-token', place, tunnelId, deed, change);
        return this.#read(code, found as string[]);
    }

    /** @param prefixes What the keys of endpoints and shares begin with. @throws TUNNEL_NOT_FOUND, REVISION_MISMATCH */
    async delete(
        { tenantId, ownerId }: Required<Place>,
        tunnelId: string,
        { prefixes, revision, outbox }: { prefixes: [string, string]; revision?: number | undefined; outbox: Outbox },
    ): Promise<void> {
        const place = { tenantId, tunnelId };
        const keys = [
            this.records.key(tenantId, tunnelId),
            ...outboxKeys(tenantId),
            this.records.orderKey({ tenantId, ownerId }, 'created'),
            namesKey(tenantId, ownerId),
            endpointsKey(place),
            sharesKey(place),
            sharedWithKey(place),
            ...prefixes,
            usersKey(tenantId),
            daysKey(place),
            healthKey(place),
            activityKey(place),
        ];
        const change = { ...guardOf(tunnelId, ownerId, revision), days: DAYS_KEPT, ...outboxLists(outbox) };
        const args = [JSON.stringify(change), TUNNEL_NEWS, newsOf('deleted', place)];
        this.#refuse(Number(await this.#run['delete-tunnel'](keys, args)));
    }

    #changeKeys(place: TunnelPlace): string[] {
        const { tenantId, tunnelId } = place;
        return [this.records.key(tenantId, tunnelId), ...outboxKeys(tenantId), activityKey(place)];
    }

    async #change(
        name: Names,
        { tenantId, ownerId }: Required<Place>,
        tunnelId: string,
        { actorId, outbox }: Deed,
        { keys, news, revision, ...rest }: { keys?: string[]; news: TunnelNews['kind']; revision?: number | undefined },
    ): Promise<[number, unknown]> {
        const place = { tenantId, tunnelId };
        const guard = guardOf(tunnelId, ownerId, revision);
        const change = { ...guard, ...rest, userId: actorId, ...outboxLists(outbox) };
        const args = [JSON.stringify(change), TUNNEL_NEWS, newsOf(news, place)];
        return (await this.#run[name](keys ?? this.#changeKeys(place), args)) as [number, unknown];
    }

    #read(code: number, flat: string[]): Tunnel {
        this.#refuse(code);
        return this.records.decode(flat);
    }

    #refuse(code: number): void {
        if (code === -1) throw apiError('REVISION_MISMATCH');
        if (code !== 1) throw apiError('TUNNEL_NOT_FOUND');
    }
}

const AT_FIRST = {
    status: 'created',
    desired: 'stopped',
    connectionId: null,
    epoch: null,
    agent: null,
    connectedAt: null,
    disconnectedAt: null,
    reason: null,
    linkUntil: null,
} as const;

const newsOf = (kind: TunnelNews['kind'], place: TunnelPlace): string =>
    JSON.stringify({ kind, ...place } satisfies TunnelNews);

const guardOf = (id: string, ownerId: string, revision: number | undefined) => ({
    id,
    ownerField: 'userId',
    ownerId,
    ...(revision !== undefined && { revision: String(revision) }),
});
