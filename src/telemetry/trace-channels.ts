import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { SpanStatusCode, type Span } from '@opentelemetry/api';

import type { SpanStart } from './tracing.ts';

/** Begins a span where something is being measured; elsewhere, as between jobs, there is none. */
export interface SpanSource {
    begin: (name: string, start: SpanStart) => Span | null;
}

type Listener = (message: unknown) => void;

/** Measures what libraries tell of themselves: commands of ioredis, requests of undici. Gives what ends that. */
export function traceChannels(source: SpanSource): () => void {
    const listeners = { ...redisListeners(source), ...httpListeners(source) };
    for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener);
    return () => {
        for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener);
    };
}

/** A command by its name: neither keys nor values. */
function redisListeners({ begin }: SpanSource): Record<string, Listener> {
    const spans = new WeakMap<object, Span>();
    return {
        'tracing:ioredis:command:start': (message) => {
            const { command } = message as { command: string };
            const name = command.toUpperCase();
            const attributes = { 'db.system.name': 'redis', 'db.operation.name': name };
            const span = begin(`redis ${name}`, { kind: 'client', attributes });
            if (span) spans.set(message as object, span);
        },
        'tracing:ioredis:command:error': (message) => {
            spans.get(message as object)?.setStatus({ code: SpanStatusCode.ERROR });
        },
        'tracing:ioredis:command:asyncEnd': (message) => spans.get(message as object)?.end(),
    };
}

interface HttpMessage {
    request: { method: string; origin: string | URL };
    response?: { statusCode: number };
}

/** A request by its method and host: paths of others may be secrets, as those of webhooks. */
function httpListeners({ begin }: SpanSource): Record<string, Listener> {
    const spans = new WeakMap<object, Span>();
    const end = (message: unknown, isFailed: boolean) => {
        const { request } = message as HttpMessage;
        const span = spans.get(request);
        if (isFailed) span?.setStatus({ code: SpanStatusCode.ERROR });
        span?.end();
        spans.delete(request);
    };
    return {
        'undici:request:create': (message) => {
            const { request } = message as HttpMessage;
            const { hostname, port } = new URL(request.origin);
            const attributes = {
                'http.request.method': request.method,
                'server.address': hostname,
                'server.port': port === '' ? undefined : Number(port),
            };
            const span = begin(`${request.method} ${hostname}`, { kind: 'client', attributes });
            if (span) spans.set(request, span);
        },
        'undici:request:headers': (message) => {
            const { request, response } = message as HttpMessage;
            spans.get(request)?.setAttribute('http.response.status_code', response?.statusCode ?? 0);
        },
        'undici:request:trailers': (message) => end(message, false),
        'undici:request:error': (message) => end(message, true),
    };
}
