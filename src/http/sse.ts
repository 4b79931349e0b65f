import { Readable } from 'node:stream';

/** An event of a stream; `id` is what a client sends back as Last-Event-ID. */
export interface ServerSentEvent {
    id: string;
    event: string;
    data: unknown;
}

const HEARTBEAT_MS = 15_000;
const HEARTBEAT = ': heartbeat\n\n';
/**
 * In how many milliseconds a browser comes again by itself when its connection has broken; left to it, it takes its
 * time, some seconds. It is remembered for the stream, and is no event.
 */
const RECONNECTION = 'retry: 1000\n\n';

/** The wire form of an event (WHATWG HTML, 9.2 Server-sent events). */
export const formatEvent = ({ id, event, data }: ServerSentEvent): string =>
    `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** The body of `writtenStream` with each batch of events as one piece; what browsers do without it comes first. */
export function eventStream(batches: AsyncIterable<ServerSentEvent[]>, heartbeatMs?: number): Readable {
    const body = writtenStream(batches, (events) => events.map(formatEvent).join(''), heartbeatMs);
    body.push(RECONNECTION);
    return body;
}

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
    /** The next batch is on its way, and the client has read all before it. */
    let isAsked = false;
    let isWanted = false;
    const give = (text: string | null) => {
        isWanted = false;
        heartbeat.refresh();
        body.push(text);
    };
    const body = new Readable({
        highWaterMark: 1,
        read() {
            isWanted = true;
            if (isAsked) return;
            isAsked = true;
            source
                .next()
                .then((batch) => {
                    isAsked = false;
                    give(batch.done ? null : write(batch.value));
                })
                .catch((error: Error) => body.destroy(error));
        },
        destroy(error, callback) {
            clearInterval(heartbeat);
            // Not waited for: a source that is itself waiting ends when it wakes.
            source.return?.().catch(() => undefined);
            callback(error);
        },
    });
    const heartbeat = setInterval(() => isWanted && give(HEARTBEAT), heartbeatMs).unref();
    return body;
}
