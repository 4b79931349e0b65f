import { activityKey, batchKey, daysKey, relayedKey, unpaidKey, userDaysKey, usersKey } from './keys-store.ts';
import { PAYING } from './relay-price.ts';

import type { TunnelPlace } from './api.ts';
import type { ItemStore } from './item-store.ts';
import type { TunnelStore } from './store.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const DAY_MS = 86_400_000;
/** A day of figures is kept that long after its last call, and a month of relayed bytes. */
const KEEP_MS = 90 * DAY_MS;
const KEEP_MONTH_MS = 400 * DAY_MS;
/** A batch may be sent again that long after it was counted. */
const MARK_MS = 3_600_000;

/** Calls by one share. */
export interface ShareUse {
    shareId: string;
    count: number;
    /** A token's uses are counted when it is redeemed. */
    isToken: boolean;
}

/** What is counted of a tunnel in one go; the same id is counted once. */
export interface Batch {
    id: string;
    place: TunnelPlace;
    /** Field → what is added to it. */
    counts: Record<string, number>;
    bytes: number;
    uses: ShareUse[];
}

/** The counters of a day, `yyyymmdd`. */
export interface Day {
    date: string;
    counts: Map<string, number>;
}

/** Figures of calls, by day: of each tunnel, and of all tunnels of a user. */
export class MetricsStore {
    readonly #tunnels: TunnelStore;
    readonly #items: ItemStore;
    readonly #tenantKey: (tenantId: string) => string;
    readonly #count: RunScript;
    readonly #read: RunScript;
    readonly #redis: Datastore['redis'];

    constructor(store: Datastore, tunnels: TunnelStore, items: ItemStore, tenantKeyOf: (tenantId: string) => string) {
        this.#tunnels = tunnels;
        this.#items = items;
        this.#tenantKey = tenantKeyOf;
        this.#redis = store.redis;
        this.#count = store.script(lua('count-calls'));
        this.#read = store.script(lua('read-metrics'));
    }

    async count({ id, place, counts, bytes, uses }: Batch): Promise<void> {
        const { tenantId, tunnelId } = place;
        const keys = [
            this.#tunnels.records.key(tenantId, tunnelId),
            batchKey(place, id),
            relayedKey(tenantId),
            activityKey(place),
            daysKey(place),
            usersKey(tenantId),
            this.#items.shares.key(tenantId, ''),
            this.#tenantKey(tenantId),
            unpaidKey(tenantId),
        ];
        const kept = { markMs: MARK_MS, keepMs: KEEP_MS, keepMonthMs: KEEP_MONTH_MS };
        await this.#count(keys, [JSON.stringify({ tunnelId, counts, bytes, uses, paying: PAYING, ...kept })]);
    }

    daysOf = (place: TunnelPlace, days: number): Promise<Day[]> => this.#days(daysKey(place), days);

    daysOfUser = (tenantId: string, userId: string, days: number): Promise<Day[]> =>
        this.#days(userDaysKey(tenantId, userId), days);

    async forgetUser(tenantId: string, userId: string, days: number): Promise<void> {
        const prefix = userDaysKey(tenantId, userId);
        const found = await this.#days(prefix, days);
        await this.#redis.unlink(found.map(({ date }) => prefix + date));
    }

    async #days(prefix: string, days: number): Promise<Day[]> {
        const reply = (await this.#read([prefix], [days])) as [string, string[]][];
        return reply.map(([date, flat]) => {
            const counts = new Map<string, number>();
            for (let at = 0; at < flat.length; at += 2) counts.set(flat[at] ?? '', Number(flat[at + 1]));
            return { date, counts };
        });
    }
}
