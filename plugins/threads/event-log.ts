import type { ServerSentEvent } from '../../src/http/sse.ts';

/** An event of an answer without its number and the message's id; a token is its text alone. JSON, as it is. */
export type LoggedEvent = string | [event: string, data: object];

/** The event as clients are sent it; its id is the number of events before it. */
export function toEvent(messageId: string, index: number, logged: LoggedEvent): ServerSentEvent {
    const [event, data] = typeof logged === 'string' ? ['token', { token: logged }] : logged;
    return { id: String(index), event, data: event === 'close' ? data : { messageId, ...data } };
}

/** What an answer has sent out so far: written once, read by any number of readers at their own pace. */
export class EventLog {
    readonly #messageId: string;
    readonly #events: LoggedEvent[] = [];
    #isEnded = false;
    #waiting: (() => void)[] = [];

    constructor(messageId: string) {
        this.#messageId = messageId;
    }

    get length(): number {
        return this.#events.length;
    }

    append(...events: LoggedEvent[]): void {
        this.#events.push(...events);
        this.#wake();
    }

    end(): void {
        this.#isEnded = true;
        this.#wake();
    }

    /** Everything from an event on, then what comes, a batch at a time. */
    async *read(from = 0): AsyncGenerator<ServerSentEvent[]> {
        for (let next = from; ;) {
            const batch = this.#events.slice(next).map((event, at) => toEvent(this.#messageId, next + at, event));
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
