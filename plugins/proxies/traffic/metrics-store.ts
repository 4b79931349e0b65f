import { tenantKey } from '../../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../../src/redis/datastore.ts';
import type { CountedDay } from '../../../src/relay/call-figures.ts';
import type { ProxyPlace } from '../api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const DAYS_KEPT = 90;
const KEEP_MS = DAYS_KEPT * 86_400_000;
/** A batch may be sent again that long after it was counted. */
const MARK_MS = 3_600_000;

/** What is counted of a proxy in one go; the same id is counted once. */
export interface Batch {
    id: string;
    place: ProxyPlace;
    /** Field → what is added to it. */
    counts: Record<string, number>;
    /** The same of members: `<tunnel>:<field>`. */
    members: Record<string, number>;
}

export type Counters = Map<string, number>;

/** What was counted over some days. */
export interface CountedTraffic {
    /** The newest first. */
    days: CountedDay[];
    /** Over all of them, by the member's tunnel. */
    members: Map<string, Counters>;
}

/** Figures of calls through proxies, by day. */
export class MetricsStore {
    readonly #proxyKey: (place: ProxyPlace) => string;
    readonly #count: RunScript;
    readonly #read: RunScript;
    readonly #forget: RunScript;

    constructor(store: Datastore, proxyKey: (place: ProxyPlace) => string) {
        this.#proxyKey = proxyKey;
        this.#count = store.script(lua('count-traffic'));
        this.#read = store.script(lua('read-traffic'));
        this.#forget = store.script(lua('forget-traffic'));
    }

    async count({ id, place, counts, members }: Batch): Promise<void> {
        const mark = tenantKey(place.tenantId, 'proxy', place.proxyId, 'counted', id);
        const batch = { counts, members, markMs: MARK_MS, keepMs: KEEP_MS };
        await this.#count([this.#proxyKey(place), mark, daysKey(place)], [JSON.stringify(batch)]);
    }

    async read(place: ProxyPlace, days: number): Promise<CountedTraffic> {
        const [found, flat] = (await this.#read([daysKey(place)], [days])) as [[string, string[]][], string[]];
        const members = new Map<string, Counters>();
        for (const [name, amount] of countersOf(flat)) {
            const [tunnelId = '', ...field] = name.split(':');
            const counters = members.get(tunnelId) ?? new Map<string, number>();
            members.set(tunnelId, counters.set(field.join(':'), amount));
        }
        return { days: found.map(([date, day]) => ({ date, counts: countersOf(day) })), members };
    }

    async forget(place: ProxyPlace): Promise<void> {
        await this.#forget([daysKey(place)], [DAYS_KEPT]);
    }
}

const daysKey = ({ tenantId, proxyId }: ProxyPlace): string => `${tenantKey(tenantId, 'proxy', proxyId, 'metrics')}:`;

function countersOf(flat: string[]): Counters {
    const counters = new Map<string, number>();
    for (let at = 0; at < flat.length; at += 2) counters.set(flat[at] ?? '', Number(flat[at + 1]));
    return counters;
}
