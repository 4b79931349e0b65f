import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

import type { AddressInfo } from 'node:net';

/** A span as it was exported. */
export interface TestSpan {
    name: string;
    kind: number;
    traceId: string;
    spanId: string;
    parentSpanId: string;
    attributes: Record<string, unknown>;
    isFailed: boolean;
}

/** Stands in for a collector of OpenTelemetry and for Sentry. */
export interface TestCollector {
    url: string;
    /** What Sentry is reached by. */
    dsn: string;
    /** Everything that came in, as it came. */
    texts: string[];
    spans: () => TestSpan[];
    /** The events in the envelopes. */
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an event
    events: () => any[];
    /** Waits until there is such a span. */
    span: (isWanted: (span: TestSpan) => boolean) => Promise<TestSpan>;
    stop: () => Promise<void>;
}

export const SENTRY_KEY = 'a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5';

export async function startCollector(): Promise<TestCollector> {
    const received: { path: string; text: string }[] = [];
    const server = createServer((request, response) => {
        void (async () => {
            const body = await buffer(request);
            const isPacked = request.headers['content-encoding'] === 'gzip';
            received.push({ path: request.url ?? '', text: String(isPacked ? gunzipSync(body) : body) });
            response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
        })();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const textsOf = (path: RegExp) => received.filter((one) => path.test(one.path)).map(({ text }) => text);
    const spans = () => textsOf(/\/v1\/traces$/).flatMap(spansIn);
    return {
        url: `http://127.0.0.1:${port}`,
        dsn: `http://${SENTRY_KEY}@127.0.0.1:${port}/42`,
        get texts() {
            return received.map(({ path, text }) => `${path}\n${text}`);
        },
        spans,
        events: () => textsOf(/\/api\/42\/envelope\//).flatMap(eventsIn),
        async span(isWanted) {
            for (;;) {
                const found = spans().find(isWanted);
                if (found) return found;
                await sleep(20);
            }
        },
        stop: async () => {
            server.closeAllConnections();
            if (server.listening) await once(server.close(), 'close');
        },
    };
}

type Value = Record<string, unknown>;

interface WireSpan extends Omit<TestSpan, 'attributes' | 'isFailed' | 'parentSpanId'> {
    parentSpanId?: string;
    attributes: { key: string; value: Value }[];
    status: { code: number };
}

function spansIn(text: string): TestSpan[] {
    const { resourceSpans } = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: WireSpan[] }[] }[] };
    return resourceSpans
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        .map(({ attributes, status, parentSpanId = '', ...span }) => ({
            ...span,
            parentSpanId,
            attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
            isFailed: status.code === 2,
        }));
}

/** An envelope is lines of JSON: its head, then the head and the body of each item. */
function eventsIn(text: string): unknown[] {
    const lines = text.split('\n').map((line) => JSON.parse(line || '{}') as Record<string, unknown>);
    return lines.filter((_line, n) => lines[n - 1]?.type === 'event');
}
