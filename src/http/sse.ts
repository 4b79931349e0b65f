import { Readable } from 'node:stream';

/** An event of a stream; `id` is what a client sends back as Last-Event-ID. */
export interface ServerSentEvent {
    id: string;
    event: string;
    data: unknown;
}

const HEARTBEAT_MS = 15_000;

/** The wire form of an event (WHATWG HTML, 9.2 Server-sent events). */
export const formatEvent = ({ id, event, data }: ServerSentEvent): string =>
    `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/**
 * A body that writes each batch of events in one piece, and a comment line whenever there was nothing for 15 s. It is
 * read at the client's pace; when the client goes away the batches are asked to end.
 */
export const eventStream = (batches: AsyncIterable<ServerSentEvent[]>, heartbeatMs = HEARTBEAT_MS): Readable =>
    Readable.from(write(batches, heartbeatMs), { objectMode: false });

async function* write(batches: AsyncIterable<ServerSentEvent[]>, heartbeatMs: number): AsyncGenerator<string> {
    const iterator = batches[Symbol.asyncIterator]();
    try {
        let next = iterator.next();
        for (;;) {
            const batch = await withinOrNull(next, heartbeatMs);
            if (batch === null) {
                yield ': heartbeat\n\n';
                continue;
            }
            if (batch.done) return;
            yield batch.value.map(formatEvent).join('');
            next = iterator.next();
        }
    } finally {
        await iterator.return?.();
    }
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
