import { setImmediate as turnEnd } from 'node:timers/promises';

import type { EventLog, LoggedEvent } from './event-log.ts';

/** What comes within that time is written together. */
const BATCH_MS = 25;

export interface EventWriterOptions {
    log: EventLog;
    /** Stores events whose first one has that number. */
    store: (from: number, events: LoggedEvent[]) => Promise<void>;
    /** Told of the first failure; nothing is written after it. */
    onFailure: (error: unknown) => void;
}

/**
 * Writes an answer's events to its log in Redis, and only then hands them to readers: what a client has seen is known
 * to every replica. The first event of a pause goes at once.
 */
export class EventWriter {
    readonly #options: EventWriterOptions;
    #queue: LoggedEvent[] = [];
    #running: Promise<void> | undefined;
    #nextAt = 0;
    #isHurried = false;
    #wake: () => void = () => undefined;
    #failure: unknown;

    constructor(options: EventWriterOptions) {
        this.#options = options;
    }

    push(event: LoggedEvent): void {
        if (this.#failure !== undefined) return;
        this.#queue.push(event);
        this.#running ??= this.#run();
    }

    /** Writes everything that is there, without waiting for more. @throws What a write failed with */
    async flush(): Promise<void> {
        this.#isHurried = true;
        this.#wake();
        await this.#running;
        this.#isHurried = false;
        if (this.#failure !== undefined) throw this.#failure;
    }

    async #run(): Promise<void> {
        const { log, store, onFailure } = this.#options;
        try {
            while (this.#queue.length > 0) {
                const wait = this.#isHurried ? 0 : this.#nextAt - performance.now();
                // What came in one piece goes in one piece.
                await (wait > 0 ? this.#sleep(wait) : turnEnd());
                const batch = this.#queue;
                this.#queue = [];
                this.#nextAt = performance.now() + BATCH_MS;
                await store(log.length, batch);
                log.append(...batch);
            }
        } catch (error) {
            this.#failure = error;
            onFailure(error);
        } finally {
            this.#running = undefined;
        }
    }

    /** Until then, or until somebody waits for what is there. */
    #sleep(milliseconds: number): Promise<void> {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, milliseconds);
            this.#wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }
}
