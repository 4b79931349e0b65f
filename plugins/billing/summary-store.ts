import { tenantKey } from '../../src/redis/keys.ts';

import type { Micros } from '../../src/money.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** Stretches of time, as `month:202611`, `day:20261120` or `hour:2026112009`. */
export interface Stretches {
    /** All that was summed up in them is added up. */
    whole: string[];
    /** Of each only what the tenant was charged. */
    series: string[];
}

export interface Sums {
    /** Amounts by `user:<id>`, `model:<id>` …, and counts by `model:<id>:calls` …; see `credits.lua`. */
    whole: Map<string, bigint>;
    series: Micros[];
}

/** What tenants were charged, as it was summed up. */
export class SummaryStore {
    readonly #read: RunScript;

    constructor(store: Datastore) {
        this.#read = store.script(new URL('./lua/read-sums.lua', import.meta.url));
    }

    async read(tenantId: string, stretches: Stretches): Promise<Sums> {
        const reply = await this.#read([tenantKey(tenantId, 'credits')], [JSON.stringify(stretches)]);
        const [flat, series] = reply as [string[], string[]];
        return { whole: readSums(flat), series: series.map(BigInt) };
    }
}

/** Reads the flat `what, sum, …` that a script returned. */
export const readSums = (flat: string[]): Map<string, bigint> =>
    new Map(Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', BigInt(flat[2 * n + 1] ?? '')]));
