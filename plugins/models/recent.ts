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
        // As the newest, wherever it was.
        this.#entries.delete(name);
        this.#entries.set(name, { at: this.#options.clock(), value });
        if (this.#entries.size <= this.#options.most) return;
        const [oldest = ''] = this.#entries.keys();
        this.#entries.delete(oldest);
    }

    forget(name: string): void {
        this.#entries.delete(name);
    }
}
