import type { Clock } from '../../src/clock.ts';

export interface RecentOptions {
    freshMs: number;
    /** How many are kept; the oldest go first. */
    most: number;
    clock: Clock;
}

/** What was learnt a little while ago, by name. */
export class Recent<Value> {
    readonly #options: RecentOptions;
    readonly #entries = new Map<string, { at: number; value: Value }>();

    constructor(options: RecentOptions) {
        this.#options = options;
    }

    get(name: string): Value | undefined {
        const entry = this.#entries.get(name);
        return entry && this.#options.clock() - entry.at <= this.#options.freshMs ? entry.value : undefined;
    }

    set(name: string, value: Value): void {
        const { freshMs, most, clock } = this.#options;
        // As the newest, wherever it was.
        this.#entries.delete(name);
        this.#entries.set(name, { at: clock(), value });
        for (const [oldest, { at }] of this.#entries) {
            if (this.#entries.size <= most && clock() - at <= freshMs) return;
            this.#entries.delete(oldest);
        }
    }

    /** How many are kept. */
    get size(): number {
        return this.#entries.size;
    }

    forget(name: string): void {
        this.#entries.delete(name);
    }
}
