import { tenantKey } from '../../src/redis/keys.ts';

import type { UsageOwner } from './api.ts';
import type { Sums } from './counters.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Far longer than a call is tried to be counted. */
const MARK_LIFETIME_MS = 3_600_000;

export type PeriodUnit = 'day' | 'month';

export interface Counters {
    /** As `yyyymmdd` or `yyyymm`. */
    newest: string;
    oldest: string;
    /** The newest first, without those in which nothing was called. */
    periods: { name: string; models: Map<string, Sums> }[];
}

/** Hashes of sums per user and day, and per user and month. */
export class UsageStore {
    readonly #count: RunScript;
    readonly #read: RunScript;
    readonly #remove: RunScript;

    constructor(store: Datastore) {
        this.#count = store.script(lua('count-call'));
        this.#read = store.script(lua('read-counters'));
        this.#remove = store.script(lua('remove-counters'));
    }

    key({ tenantId, userId }: UsageOwner): string {
        return tenantKey(tenantId, 'usage', userId);
    }

    /** What a script adds of a call. */
    fields(modelId: string, amounts: [what: string, amount: number][]): string[] {
        return amounts.flatMap(([what, amount]) => [`${modelId}:${what}`, String(amount)]);
    }

    /** Whether it was counted now, and not before. */
    async count(owner: UsageOwner, id: string, fields: string[]): Promise<boolean> {
        const keys = [this.key(owner), tenantKey(owner.tenantId, 'usage-mark', id)];
        return (await this.#count(keys, [MARK_LIFETIME_MS, ...fields])) === 1;
    }

    async read(owner: UsageOwner, unit: PeriodUnit, count: number): Promise<Counters> {
        const reply = await this.#read([this.key(owner)], [unit, count]);
        const [newest, oldest, ...found] = reply as [string, string, ...[string, string[]][]];
        return { newest, oldest, periods: found.map(([name, flat]) => ({ name, models: decode(flat) })) };
    }

    async remove(owner: UsageOwner): Promise<void> {
        await this.#remove([this.key(owner)], []);
    }
}

/** The name of a model may have colons, what is counted of it has none. */
function decode(flat: string[]): Map<string, Sums> {
    const models = new Map<string, Sums>();
    for (let at = 0; at < flat.length; at += 2) {
        const field = flat[at] ?? '';
        const colon = field.lastIndexOf(':');
        const modelId = field.slice(0, colon);
        const sums = models.get(modelId) ?? new Map<string, number>();
        models.set(modelId, sums.set(field.slice(colon + 1), Number(flat[at + 1])));
    }
    return models;
}
