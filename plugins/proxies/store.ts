import { changesKey, healthKey, namesKey, proxyKey, stateKeys } from './keys-store.ts';
import { memberHealth, type Seen } from './member-health.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection, type Place } from '../../src/redis/collection.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { MemberHealth, Proxy, ProxyConfig, ProxyMember, ProxyPlace, ProxyStrategy } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const FIELDS: Fields<Proxy> = {
    userId: 'text',
    name: 'text',
    members: 'json',
    strategy: 'text',
    config: 'json',
    replicas: 'number',
    status: 'text',
    desired: 'text',
    reason: 'text',
    statusChangedAt: 'time',
    lastUsedAt: 'time',
};

/** What a new proxy is given; the rest follows from its being new. */
export type NewProxy = Pick<Proxy, 'id' | 'userId' | 'name' | 'members' | 'strategy' | 'config'>;
/** What the tier allows; null: no limit. */
export interface Most {
    proxies: number | null;
    replicas: number;
}
/** The proxy, or what its user has too many of already. */
export type Creation = { proxy: Proxy } | { quota: 'proxies' | 'replicasPerProxy'; most: number };

export interface ProxyChange {
    name?: string | undefined;
    members?: ProxyMember[] | undefined;
    strategy?: ProxyStrategy | undefined;
    /** What the configuration goes back to, before what `config` names. */
    defaults?: ProxyConfig | undefined;
    config: Partial<ProxyConfig>;
    revision?: number | undefined;
}

interface ChangeOfState extends Partial<ProxyChange> {
    /** After those of its state. */
    keys?: string[];
    seen?: Seen[];
    replicas?: number;
    most?: number;
}

/** A proxy as a request finds it; `hasWoken`: it was idle, and runs again. */
export interface UsedProxy {
    proxy: Proxy;
    health: Map<string, MemberHealth>;
    hasWoken: boolean;
}

const SCRIPTS = ['create', 'update', 'start', 'stop', 'scale', 'delete', 'use'] as const;
type Operation = (typeof SCRIPTS)[number];

/** Proxies of users: `proxy:<id>` with what belongs to it, a list of each user's and their names. */
export class ProxyStore {
    readonly records: Collection<Proxy>;
    readonly #codec = new RecordCodec<Proxy>(FIELDS);
    readonly #tenantKey: (tenantId: string) => string;
    readonly #run: Record<Operation, RunScript>;

    constructor(store: Datastore, vault: Vault, tenantKeyOf: (tenantId: string) => string) {
        this.#tenantKey = tenantKeyOf;
        this.records = new Collection<Proxy>(store, vault, {
            name: 'proxy',
            owner: 'userId',
            fields: FIELDS,
            orders: { created: { by: 'createdAt', index: (userId) => ['user', userId, 'proxies'] } },
            notFound: 'PROXY_NOT_FOUND',
        });
        const scripts = SCRIPTS.map((name) => [name, store.script(lua(`${name}-proxy`))] as const);
        this.#run = Object.fromEntries(scripts) as Record<Operation, RunScript>;
    }

    /** @throws NAME_TAKEN */
    async create(tenantId: string, proxy: NewProxy, most: Most, outbox: Outbox): Promise<Creation> {
        const { id, name, userId, ...values } = proxy;
        const place = { tenantId, ownerId: userId };
        const { set: fields } = this.#codec.encode({ ...values, userId, name, ...AT_FIRST });
        const keys = [
            this.records.key(tenantId, id),
            ...outboxKeys(tenantId),
            this.records.orderKey(place, 'created'),
            namesKey(tenantId, userId),
            this.#tenantKey(tenantId),
        ];
        const limits = { most: most.proxies, mostReplicas: most.replicas, replicas: AT_FIRST.replicas };
        const body = JSON.stringify({ id, name, fields, ...limits, ...outboxLists(outbox) });
        const [code, figure = 0] = (await this.#run.create(keys, [body])) as [number, number?];
        if (code === -1) throw apiError('NAME_TAKEN');
        if (code !== 1) return { quota: code === -2 ? 'proxies' : 'replicasPerProxy', most: figure };
        const time = isoTime(figure);
        const times = { createdAt: time, updatedAt: time, statusChangedAt: time };
        return { proxy: { ...proxy, ...AT_FIRST, revision: 1, ...times } };
    }

    /** @throws PROXY_NOT_FOUND, REVISION_MISMATCH, NAME_TAKEN */
    async update(place: Required<Place>, id: string, change: ProxyChange, outbox: Outbox): Promise<Proxy> {
        const names = namesKey(place.tenantId, place.ownerId);
        const [code, found] = await this.#change('update', place, id, { keys: [names], ...change }, outbox);
        if (code === -2) throw apiError('NAME_TAKEN');
        return this.#read(code, found);
    }

    /** @param seen What was just seen of the members @throws PROXY_NOT_FOUND, INVALID_STATE */
    async start(place: Required<Place>, id: string, seen: Seen[], outbox: Outbox): Promise<Proxy> {
        const [code, found] = await this.#change('start', place, id, { seen }, outbox);
        if (code === -2) throw apiError('INVALID_STATE', { details: { from: String(found), to: 'running' } });
        return this.#read(code, found);
    }

    /** @throws PROXY_NOT_FOUND, INVALID_STATE */
    async stop(place: Required<Place>, id: string, outbox: Outbox): Promise<Proxy> {
        const [code, found] = await this.#change('stop', place, id, {}, outbox);
        if (code === -2) throw apiError('INVALID_STATE', { details: { from: String(found), to: 'stopped' } });
        return this.#read(code, found);
    }

    /** @param most What the tier allows @returns How many are allowed, where it is fewer @throws PROXY_NOT_FOUND */
    async scale(
        place: Required<Place>,
        id: string,
        { replicas, most }: { replicas: number; most: number },
        outbox: Outbox,
    ): Promise<Proxy | number> {
        const keys = [this.#tenantKey(place.tenantId)];
        const [code, found] = await this.#change('scale', place, id, { keys, replicas, most }, outbox);
        return code === -3 ? Number(found) : this.#read(code, found);
    }

    /** @throws PROXY_NOT_FOUND, REVISION_MISMATCH */
    async delete(
        { tenantId, ownerId }: Required<Place>,
        proxyId: string,
        { revision, outbox }: { revision?: number | undefined; outbox: Outbox },
    ): Promise<void> {
        const place = { tenantId, proxyId };
        const keys = [
            this.records.key(tenantId, proxyId),
            ...outboxKeys(tenantId),
            this.records.orderKey({ tenantId, ownerId }, 'created'),
            namesKey(tenantId, ownerId),
            healthKey(place),
            changesKey(place),
        ];
        const change = { ...guardOf(proxyId, ownerId, revision), ...outboxLists(outbox) };
        this.#refuse(Number(await this.#run.delete(keys, [JSON.stringify(change)])));
    }

    /** In one round trip. @throws PROXY_NOT_FOUND, PROXY_STOPPED */
    async use(place: ProxyPlace, userId: string): Promise<UsedProxy> {
        const reply = await this.#run.use(stateKeys(place), [userId]);
        const [code, flat = [], health = []] = reply as [number, string[]?, string[]?];
        if (code === 0) throw apiError('PROXY_NOT_FOUND');
        if (code === -2) throw apiError('PROXY_STOPPED');
        return { proxy: this.records.decode(flat), health: memberHealth(health), hasWoken: code === 2 };
    }

    key(place: ProxyPlace): string {
        return proxyKey(place);
    }

    async #change(
        operation: Operation,
        { tenantId, ownerId }: Required<Place>,
        proxyId: string,
        { keys = [], revision, ...change }: ChangeOfState,
        outbox: Outbox,
    ): Promise<[number, unknown]> {
        const body = { ...guardOf(proxyId, ownerId, revision), ...change, ...outboxLists(outbox) };
        const all = [...stateKeys({ tenantId, proxyId }), ...keys];
        return (await this.#run[operation](all, [JSON.stringify(body)])) as [number, unknown];
    }

    #read(code: number, found: unknown): Proxy {
        this.#refuse(code);
        return this.records.decode(found as string[]);
    }

    #refuse(code: number): void {
        if (code === -1) throw apiError('REVISION_MISMATCH');
        if (code !== 1) throw apiError('PROXY_NOT_FOUND');
    }
}

const AT_FIRST = { replicas: 1, status: 'created', desired: 'stopped', reason: null, lastUsedAt: null } as const;

const guardOf = (id: string, ownerId: string, revision: number | undefined) => ({
    id,
    ownerField: 'userId',
    ownerId,
    ...(revision !== undefined && { revision: String(revision) }),
});
