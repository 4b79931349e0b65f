import { periodsUntil, type Unit } from './periods.ts';

import type { TrafficBatch } from './figures.ts';
import type { TrafficStore } from './traffic-store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** A request that was answered. */
export interface Answered {
    at: number;
    /** The catalogue code of the refusal. */
    errorCode?: string | undefined;
    userId?: string | undefined;
}

const UNITS: Unit[] = ['hour', 'day', 'month'];
const HOUR_MS = 3_600_000;

/** What requests of one hour are counted in: named once, since to name it costs more than to count. */
interface Hour {
    number: number;
    keys: string[];
    date: string;
}

/**
 * Counts requests in memory, so that none waits for it, and tells the store of all of them together. A batch whose
 * answer was lost is told again under its number; what came meanwhile waits for the next one.
 */
export class Traffic {
    readonly #store: TrafficStore;
    readonly #logger: Logger;
    readonly #processId: string;
    readonly #periods = new Map<string, Map<string, number>>();
    readonly #active = new Map<string, Set<string>>();
    #hour: Hour = hourOf(0);
    #number = 1;
    #untold: TrafficBatch | null = null;
    #telling: Promise<void> | null = null;

    constructor(store: TrafficStore, processId: string, logger: Logger) {
        this.#store = store;
        this.#processId = processId;
        this.#logger = logger;
    }

    count({ at, errorCode, userId }: Answered): void {
        const what = errorCode === undefined ? ['requests'] : ['requests', 'errors', `code:${errorCode}`];
        if (Math.floor(at / HOUR_MS) !== this.#hour.number) this.#hour = hourOf(at);
        const { keys, date } = this.#hour;
        for (const key of keys) this.#add(key, what);
        if (userId === undefined) return;
        const users = this.#active.get(date) ?? new Set();
        this.#active.set(date, users.add(userId));
    }

    /** Never fails: what could not be told is told with the next flush. */
    flush(): Promise<void> {
        this.#telling ??= this.#tell()
            .catch((error: unknown) => {
                this.#logger.warn({ module: 'reports', err: error }, 'Requests could not be counted');
            })
            .finally(() => (this.#telling = null));
        return this.#telling;
    }

    async #tell(): Promise<void> {
        // One that was left over, then what has come since.
        for (let batch = this.#take(); batch !== null; batch = this.#take()) {
            await this.#store.count(this.#processId, this.#number, batch);
            this.#number += 1;
            this.#untold = null;
        }
    }

    #take(): TrafficBatch | null {
        if (this.#untold === null && this.#periods.size > 0) {
            const periods = [...this.#periods].map(([key, counts]) => [key, Object.fromEntries(counts)]);
            const active = [...this.#active].map(([date, users]) => [date, [...users]]);
            this.#untold = { periods: Object.fromEntries(periods), active: Object.fromEntries(active) };
            this.#periods.clear();
            this.#active.clear();
        }
        return this.#untold;
    }

    #add(key: string, what: string[]): void {
        const counts = this.#periods.get(key) ?? new Map<string, number>();
        this.#periods.set(key, counts);
        for (const name of what) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
}

const hourOf = (at: number): Hour => ({
    number: Math.floor(at / HOUR_MS),
    keys: UNITS.flatMap((unit) => periodsUntil(at, unit, 1).map(({ key }) => key)),
    date: periodsUntil(at, 'day', 1).map(({ date }) => date)[0] ?? '',
});
