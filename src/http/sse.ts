import { Readable } from 'node:stream';

/** An event of a stream; `id` is what a client sends back as Last-Event-ID. */
export interface ServerSentEvent {
    id: string;
    event: string;
    data: unknown;
}

const HEARTBEAT_MS = 15_000;
const HEARTBEAT = ': heartbeat\n\n';

/** The wire form of an event (WHATWG HTML, 9.2 Server-sent events). */
export const formatEvent = ({ id, event, data }: ServerSentEvent): string =>
    `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** The body of `writtenStream` with each batch of events as one piece. */
export const eventStream = (batches: AsyncIterable<ServerSentEvent[]>, heartbeatMs?: number): Readable =>
    writtenStream(batches, (events) => events.map(formatEvent).join(''), heartbeatMs);

/**
 * A body that writes each batch in one piece, and a comment line whenever there was nothing for 15 s. It is read at the
 * client's pace; when the client goes away the batches are asked to end, at once.
 */
export function writtenStream<Batch>(
    batches: AsyncIterable<Batch>,
    write: (batch: Batch) => string,
    heartbeatMs = HEARTBEAT_MS,
): Readable {
    const source = batches[Symbol.asyncIterator]();
    let next: Promise<IteratorResult<Batch>> | undefined;
    const piece = async (): Promise<string | null> => {
        next ??= source.next();
        const batch = await withinOrNull(next, heartbeatMs);
        if (batch === null) return HEARTBEAT;
        next = undefined;
        return batch.done ? null : write(batch.value);
    };
    return new Readable({
        highWaterMark: 1,
        read() {
            piece().then(
                (text) => this.push(text),
                (error: Error) => this.destroy(error),
            );
        },
        destroy(error, callback) {
            // Not waited for: a source that is itself waiting ends when it wakes.
            source.return?.().catch(() => undefined);
            callback(error);
        },
    });
}

/** What the promise gives, or null when it takes longer. */
async function withinOrNull<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, milliseconds, null);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}
