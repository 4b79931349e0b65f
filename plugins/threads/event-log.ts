import type { ServerSentEvent } from '../../src/http/sse.ts';

/** What an answer has sent out so far: written once, read by any number of readers at their own pace. */
export class EventLog {
    readonly #events: ServerSentEvent[] = [];
    #isEnded = false;
    #waiting: (() => void)[] = [];

    append(event: string, data: unknown): void {
        this.#events.push({ id: String(this.#events.length), event, data });
        this.#wake();
    }

    end(): void {
        this.#isEnded = true;
        this.#wake();
    }

    /** Everything from the start, then what comes, a batch at a time. */
    async *read(): AsyncGenerator<ServerSentEvent[]> {
        let next = 0;
        for (;;) {
            const batch = this.#events.slice(next);
            next += batch.length;
            if (batch.length > 0) yield batch;
            else if (this.#isEnded) return;
            else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
        }
    }

    #wake(): void {
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const resolve of waiting) resolve();
    }
}
