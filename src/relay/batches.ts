import { randomUUID } from 'node:crypto';

import type { Logger } from '../telemetry/logger.ts';

const FLUSH_MS = 1_000;
/** How many wait for a store that is away. */
const MOST_WAITING = 10_000;

export interface BatchesOptions<Batch> {
    /** Counts a batch once, however often it is given one with that id. */
    write: (batch: Batch & { id: string }) => Promise<void>;
    logger: Logger;
    /** Whose calls they are, for the log. */
    module: string;
}

/** What is counted in the process, written down once a second; what could not be written is sent again. */
export class Batches<Batch extends object> {
    readonly #options: BatchesOptions<Batch>;
    #open = new Map<string, Batch>();
    #waiting: (Batch & { id: string })[] = [];
    #timer: NodeJS.Timeout | undefined;
    #flushing = Promise.resolve();

    constructor(options: BatchesOptions<Batch>) {
        this.#options = options;
    }

    /** The batch of that name which has not been written yet, to be added to at once. */
    of(name: string, begin: () => Batch): Batch {
        const batch = this.#open.get(name) ?? begin();
        this.#open.set(name, batch);
        this.#arm();
        return batch;
    }

    /** Writes down what was counted so far. Never fails. */
    flush(): Promise<void> {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#flushing = this.#flushing.then(() => this.#send());
        return this.#flushing;
    }

    async #send(): Promise<void> {
        const { write, logger, module } = this.#options;
        for (const batch of this.#open.values()) this.#waiting.push({ id: randomUUID(), ...batch });
        this.#open = new Map();
        const failed: (Batch & { id: string })[] = [];
        for (const batch of this.#waiting) {
            await write(batch).catch((error: unknown) => {
                if (failed.length === 0) logger.warn({ module, err: error }, 'Calls are counted late');
                failed.push(batch);
            });
        }
        this.#waiting = failed.slice(-MOST_WAITING);
        const lost = failed.length - this.#waiting.length;
        if (lost > 0) logger.error({ module, lost }, 'Calls are not counted');
        if (this.#waiting.length > 0) this.#arm();
    }

    #arm(): void {
        this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
    }
}
