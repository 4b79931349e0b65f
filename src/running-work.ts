import { apiError } from './http/errors.ts';

import type { Drain } from './drain.ts';

/** Work that may outlive the request that asked for it. */
export interface Work {
    /** Settled when it has ended, well or badly. */
    readonly finished: Promise<unknown>;
    /** Ends it now, because the process stops. */
    interrupt: () => void;
}

/** The work that this process has on its way. Before it stops, it ends; past the deadline it is interrupted. */
export class RunningWork<Item extends Work> {
    readonly #running = new Set<Item>();
    readonly #drain: Drain;

    constructor(drain: Drain) {
        this.#drain = drain;
        drain.onDrain((deadline) => this.#end(deadline));
    }

    /** @throws SHUTTING_DOWN when the process is about to stop */
    checkOpen(): void {
        if (this.#drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
    }

    add(item: Item): Item {
        this.#running.add(item);
        const forget = () => void this.#running.delete(item);
        item.finished.then(forget, forget);
        return item;
    }

    [Symbol.iterator](): IterableIterator<Item> {
        return this.#running.values();
    }

    async #end(deadline: AbortSignal): Promise<void> {
        const interrupt = () => {
            for (const item of this.#running) item.interrupt();
        };
        deadline.addEventListener('abort', interrupt, { once: true });
        if (deadline.aborted) interrupt();
        while (this.#running.size > 0) {
            await Promise.allSettled([...this.#running].map(({ finished }) => finished));
        }
        deadline.removeEventListener('abort', interrupt);
    }
}
