import { availabilityOf } from './availability.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { done, doneBy, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { Proxy, ProxyConfig, ProxyLoad, ProxyMember, ProxyPlace, ProxyUser } from './api.ts';
import type { HealthChecks } from './health-checks.ts';
import type { ProxyHealth, ProxyState } from './public-proxy.ts';
import type { CreateProxy, UpdateProxy } from './schemas.ts';
import type { StateStore } from './state-store.ts';
import type { ProxyStore } from './store.ts';
import type { WatchStore } from './watch-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Tiers } from '../tenants/api.ts';
import type { TunnelService } from '../tunnels/api.ts';

export const DEFAULT_CONFIG: ProxyConfig = {
    maxConnections: 100,
    timeout: 30_000,
    retries: 3,
    backoff: 1_000,
    healthInterval: 30_000,
    healthTimeout: 5_000,
    healthPath: '/',
    autoScale: false,
};

/** A start waits that long at most for a look at the members. */
const FIRST_LOOK_MS = 10_000;
/** After a start the members are looked at again, whatever the interval. */
const SECOND_LOOK_MS = 5_000;

export interface ProxyParts {
    store: ProxyStore;
    state: StateStore;
    watch: WatchStore;
    checks: Pick<HealthChecks, 'look'>;
    tunnels: Pick<TunnelService, 'get'>;
    tiers: Tiers;
    load: (place: ProxyPlace) => Promise<ProxyLoad>;
    /** Removes what the traffic keeps of a proxy that is gone. */
    forget: (place: ProxyPlace) => Promise<void>;
    clock: Clock;
}

/** Proxies of users: what they are, and whether they run. */
export class Proxies {
    readonly #parts: ProxyParts;

    constructor(parts: ProxyParts) {
        this.#parts = parts;
    }

    /** @throws TUNNEL_NOT_FOUND, NAME_TAKEN, QUOTA_EXCEEDED */
    async create(actor: Actor, { name, members, strategy, config }: CreateProxy): Promise<Proxy> {
        const { tenantId, userId } = actor;
        await this.#checkMembers(actor, members);
        const { proxies, replicasPerProxy: replicas } = this.#parts.tiers.limitsOf(actor.tier, null);
        const id = newId('proxy');
        const proxy = { id, userId, name, members, strategy, config: { ...DEFAULT_CONFIG, ...config } };
        const outbox = deedOf(actor, 'create', id, userId);
        const creation = await this.#parts.store.create(tenantId, proxy, { proxies, replicas }, outbox);
        if ('proxy' in creation) return creation.proxy;
        throw exceeded(creation.quota, creation.most);
    }

    /** @throws INVALID_CURSOR */
    list({ tenantId, userId }: Actor, query: Omit<PageQuery, 'order'>): Promise<Page<Proxy>> {
        return this.#parts.store.records.list({ tenantId, ownerId: userId }, { ...query, order: 'created' });
    }

    /** @throws PROXY_NOT_FOUND */
    get(user: ProxyUser, id: string): Promise<Proxy> {
        return this.#parts.store.records.get(placeOf(user), id);
    }

    /** @throws PROXY_NOT_FOUND, TUNNEL_NOT_FOUND, REVISION_MISMATCH, NAME_TAKEN */
    async update(actor: Actor, id: string, changes: UpdateProxy, revision?: number): Promise<Proxy> {
        const { store, watch } = this.#parts;
        const { reset, name, members, strategy, config = {} } = changes;
        await this.get(actor, id);
        if (members) await this.#checkMembers(actor, members);
        const change = { name, members, strategy, config, defaults: reset ? DEFAULT_CONFIG : undefined, revision };
        const outbox = deedOf(actor, 'update', id, actor.userId, { fields: Object.keys(changes) });
        const proxy = await store.update(placeOf(actor), id, change, outbox);
        if (proxy.desired === 'running') await watch.watch({ tenantId: actor.tenantId, proxyId: id }, 0);
        return proxy;
    }

    /** Looks at the members first, so that the status is true. @throws PROXY_NOT_FOUND, INVALID_STATE */
    async start(actor: Actor, id: string): Promise<Proxy> {
        const { store, watch, checks } = this.#parts;
        const proxy = await this.get(actor, id);
        const { status, config } = proxy;
        if (status !== 'created' && status !== 'stopped') {
            throw apiError('INVALID_STATE', { details: { from: status, to: 'running' } });
        }
        const timeoutMs = Math.min(config.healthTimeout, FIRST_LOOK_MS);
        const seen = await checks.look(actor.tenantId, proxy, { timeoutMs });
        await watch.watch({ tenantId: actor.tenantId, proxyId: id }, SECOND_LOOK_MS);
        return store.start(placeOf(actor), id, seen, auditOf(actor, 'start', id));
    }

    /** @throws PROXY_NOT_FOUND, INVALID_STATE */
    stop(actor: Actor, id: string): Promise<Proxy> {
        return this.#parts.store.stop(placeOf(actor), id, auditOf(actor, 'stop', id));
    }

    /** @throws PROXY_NOT_FOUND, QUOTA_EXCEEDED */
    async scale(actor: Actor, id: string, replicas: number): Promise<Proxy> {
        const most = this.#parts.tiers.limitsOf(actor.tier, null).replicasPerProxy;
        const outbox = auditOf(actor, 'scale', id, { replicas });
        const scaled = await this.#parts.store.scale(placeOf(actor), id, { replicas, most }, outbox);
        if (typeof scaled === 'number') throw exceeded('replicasPerProxy', scaled);
        return scaled;
    }

    /** @throws PROXY_NOT_FOUND, REVISION_MISMATCH */
    async delete(actor: Actor, id: string, revision?: number): Promise<Proxy> {
        const { store, forget } = this.#parts;
        const proxy = await this.get(actor, id);
        await store.delete(placeOf(actor), id, { revision, outbox: deedOf(actor, 'delete', id, proxy.userId) });
        await forget({ tenantId: actor.tenantId, proxyId: id });
        return proxy;
    }

    /** @throws PROXY_NOT_FOUND */
    async status(actor: Actor, id: string): Promise<ProxyState> {
        const { state, load, clock } = this.#parts;
        const { status, desired, reason, statusChangedAt: since, replicas, createdAt } = await this.get(actor, id);
        const place = { tenantId: actor.tenantId, proxyId: id };
        const [changes, busy] = await Promise.all([state.changes(place), load(place)]);
        const availability = availabilityOf(changes, Date.parse(createdAt), clock());
        return { status, desired, reason, since, availability, replicas, load: busy };
    }

    /** @throws PROXY_NOT_FOUND */
    async health(actor: Actor, id: string): Promise<ProxyHealth> {
        const { status, members } = await this.get(actor, id);
        const health = await this.#parts.state.health({ tenantId: actor.tenantId, proxyId: id });
        return { status, members: members.map(({ tunnelId }) => ({ tunnelId, ...(health.get(tunnelId) ?? UNSEEN) })) };
    }

    /** Removes the proxies of a user who is purged. */
    async purge(tenantId: string, userId: string): Promise<void> {
        const { store, forget } = this.#parts;
        const place = { tenantId, ownerId: userId };
        await store.records.purge(place, 'created', async (ids) => {
            for (const id of ids) {
                const outbox = { events: [eventOf('deleted', id, userId)], audit: [done('proxy', 'delete', id)] };
                if (await store.records.find(place, id)) await store.delete(place, id, { outbox });
                await forget({ tenantId, proxyId: id });
            }
        });
    }

    /** @throws TUNNEL_NOT_FOUND With those that the user may not use */
    async #checkMembers({ tenantId, userId }: Actor, members: ProxyMember[]): Promise<void> {
        const missing = await Promise.all(
            members.map(async ({ tunnelId }) => {
                try {
                    await this.#parts.tunnels.get({ tenantId, userId }, tunnelId, 'read');
                    return [];
                } catch (error) {
                    if (!isApiError(error, 'TUNNEL_NOT_FOUND')) throw error;
                    return [tunnelId];
                }
            }),
        );
        const tunnelIds = missing.flat();
        if (tunnelIds.length > 0) throw apiError('TUNNEL_NOT_FOUND', { details: { tunnelIds } });
    }
}

const UNSEEN = { isHealthy: null, failures: 0, successes: 0, checkedAt: null, latencyMs: null, error: null };

const placeOf = ({ tenantId, userId }: ProxyUser) => ({ tenantId, ownerId: userId });

const exceeded = (quota: string, limit: number) =>
    apiError('QUOTA_EXCEEDED', { details: { quota, used: limit, limit, resetsAt: null } });

const eventOf = (happened: 'created' | 'updated' | 'deleted', proxyId: string, userId: string): EventEntry => ({
    type: `proxy.${happened}`,
    data: { proxyId, userId },
});

/** Of a change that says itself what happened. */
const auditOf = (actor: Actor, action: string, id: string, details?: object): Outbox => ({
    audit: [doneBy(actor, 'proxy', action, id, details)],
});

const deedOf = (
    actor: Actor,
    action: 'create' | 'update' | 'delete',
    id: string,
    ownerId: string,
    details?: object,
): Outbox => ({ ...auditOf(actor, action, id, details), events: [eventOf(`${action}d`, id, ownerId)] });
