import { activityKey, healthKey, linkedKey } from './keys-store.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { outboxKeys } from '../../src/redis/outbox.ts';
import { refuseWhileRestoring } from '../../src/redis/restoring.ts';

import type { Tunnel, TunnelPlace } from './api.ts';
import type { ItemStore } from './item-store.ts';
import type { EndpointHealth } from './link/types.ts';
import type { TunnelStore } from './store.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { PassJudgement } from '../auth/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const TARGETS_AT_MOST = 100;
/** For how long a link counts as alive after it was asked about. */
const LINK_KEPT_MS = 30_000;
const ACTIVITY_LENGTH = 1_000;
const SWEPT_AT_ONCE = 100;

/** How a target was when the agent told of it last. */
export interface TargetHealth extends EndpointHealth {
    checkedAt: string;
}

/** Something that happened to a tunnel. */
export interface ActivityEntry {
    id: string;
    type: string;
    at: string;
    /** Who did it, where somebody did. */
    userId: string | null;
    details: Record<string, string>;
}

/** Where records of other features live, that links and tokens depend on. */
export interface Standing {
    tenant: (tenantId: string) => string;
    user: (tenantId: string, userId: string) => string;
}

const NAMES = [
    'authenticate-link',
    'admit-share',
    'next-epoch',
    'link-up',
    'link-down',
    'keep-link',
    'sweep-links',
    'set-health',
] as const;

const scripts = (store: Datastore) =>
    Object.fromEntries(NAMES.map((name) => [name, store.script(lua(name))])) as Record<
        (typeof NAMES)[number],
        RunScript
    >;

/** What links tell of tunnels: in the tunnel's record, `tunnel:<id>:health` and `tunnel:<id>:activity`. */
export class LinkStore {
    readonly #store: Datastore;
    readonly #tunnels: TunnelStore;
    readonly #items: ItemStore;
    readonly #standing: Standing;
    readonly #run: ReturnType<typeof scripts>;

    constructor(store: Datastore, tunnels: TunnelStore, items: ItemStore, standing: Standing) {
        this.#store = store;
        this.#tunnels = tunnels;
        this.#items = items;
        this.#standing = standing;
        this.#run = scripts(store);
    }

    /** The tunnel, if its tenant and its owner are in standing. @throws TENANT_RESTORING */
    async inStanding(place: TunnelPlace): Promise<Tunnel | null> {
        const keys = [this.#key(place), ...this.#standingKeys(place)];
        await refuseWhileRestoring(this.#store.redis, place.tenantId);
        return this.#read(await this.#run['authenticate-link'](keys, []));
    }

    /** Decides about a call with a share's token, which is used by that. @returns As the script says */
    async admitShare(place: TunnelPlace, shareId: string, { keys, args }: PassJudgement): Promise<unknown[]> {
        const [tenant = '', users = '', quota = '', violations = '', rates = '', ...own] = keys;
        const records = [this.#key(place), this.#items.shares.key(place.tenantId, shareId)];
        const all = [tenant, users, quota, violations, rates, ...records, ...own];
        return (await this.#run['admit-share'](all, [...args, place.tunnelId])) as unknown[];
    }

    /** The tunnel of a share that there still is. @throws TUNNEL_NOT_FOUND */
    async ofShare({ tenantId, tunnelId }: TunnelPlace, shareId: string): Promise<Tunnel> {
        const share = this.#items.shares.get({ tenantId, ownerId: tunnelId }, shareId).catch((error: unknown) => {
            throw isApiError(error, 'SHARE_NOT_FOUND') ? apiError('TUNNEL_NOT_FOUND') : error;
        });
        const [tunnel] = await Promise.all([this.#tunnels.records.get({ tenantId }, tunnelId), share]);
        return tunnel;
    }

    nextEpoch = async (place: TunnelPlace): Promise<number> =>
        Number(await this.#run['next-epoch']([this.#key(place)], []));

    /** @returns As the script says */
    linkUp = async (
        place: TunnelPlace,
        link: { connectionId: string; epoch: number; agent: string; tokenHash?: string },
    ): Promise<number> => {
        const args = [link.connectionId, link.epoch, link.agent, link.tokenHash ?? '', LINK_KEPT_MS];
        return Number(await this.#run['link-up'](this.#linkKeys(place), args));
    };

    linkDown = async (place: TunnelPlace, connectionId: string, reason: string, isFault: boolean): Promise<void> => {
        const to = isFault ? 'error' : 'disconnected';
        await this.#run['link-down'](this.#linkKeys(place), [connectionId, reason, to]);
    };

    keepLink = async (place: TunnelPlace, link: { connectionId: string; tokenHash: string }): Promise<boolean> => {
        const keys = [...this.#changeKeys(place), ...this.#standingKeys(place), linkedKey(place.tenantId)];
        return (await this.#run['keep-link'](keys, [link.connectionId, link.tokenHash, LINK_KEPT_MS])) === 1;
    };

    /** Notes the links of a tenant that nobody has kept; gives how many links there are besides. */
    async sweep(tenantId: string): Promise<number> {
        const keys = [linkedKey(tenantId), ...outboxKeys(tenantId), this.#tunnels.records.key(tenantId, '')];
        for (;;) {
            const [due = 0, left = 0] = (await this.#run['sweep-links'](keys, [SWEPT_AT_ONCE])) as number[];
            if (due < SWEPT_AT_ONCE) return left;
        }
    }

    async setHealth(place: TunnelPlace, health: EndpointHealth[]): Promise<void> {
        const told = health.flatMap(({ endpoint, ...rest }) => [endpoint, JSON.stringify(rest)]);
        const keys = [this.#key(place), healthKey(place), activityKey(place)];
        await this.#run['set-health'](keys, [TARGETS_AT_MOST, ...told]);
    }

    async health(place: TunnelPlace): Promise<TargetHealth[]> {
        const found = await this.#store.redis.hgetall(healthKey(place));
        return Object.entries(found).map(([endpoint, text]) => {
            const { checkedAt, ...health } = JSON.parse(text) as Omit<EndpointHealth, 'endpoint'> & {
                checkedAt: number;
            };
            return { endpoint, ...health, checkedAt: isoTime(checkedAt) };
        });
    }

    /** What happened last, the newest first. */
    async activity(place: TunnelPlace, limit: number): Promise<ActivityEntry[]> {
        const count = Math.min(limit, ACTIVITY_LENGTH);
        const found = await this.#store.redis.xrevrange(activityKey(place), '+', '-', 'COUNT', count);
        return found.map(([id, flat]) => {
            const fields = new Map<string, string>();
            for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
            const { type = '', userId = null, ...details } = Object.fromEntries(fields);
            return { id, type, at: isoTime(Number.parseInt(id, 10)), userId, details };
        });
    }

    #read(reply: unknown): Tunnel | null {
        const flat = reply as string[];
        return flat.length === 0 ? null : this.#tunnels.records.decode(flat);
    }

    #key({ tenantId, tunnelId }: TunnelPlace): string {
        return this.#tunnels.records.key(tenantId, tunnelId);
    }

    #standingKeys({ tenantId }: TunnelPlace): string[] {
        return [this.#standing.tenant(tenantId), this.#standing.user(tenantId, '')];
    }

    #linkKeys(place: TunnelPlace): string[] {
        return [...this.#changeKeys(place), linkedKey(place.tenantId)];
    }

    #changeKeys(place: TunnelPlace): string[] {
        return [this.#key(place), ...outboxKeys(place.tenantId), activityKey(place)];
    }
}
