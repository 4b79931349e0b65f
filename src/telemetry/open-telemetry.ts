import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
    BatchSpanProcessor,
    ParentBasedSampler,
    TraceIdRatioBasedSampler,
    TracerProvider,
} from '@opentelemetry/sdk-trace';

import { traceChannels } from './trace-channels.ts';

import type { Context, Span, SpanContext } from '@opentelemetry/api';
import type { OpenSpan, SpanStart, Tracing } from './tracing.ts';

const EXPORT_TIMEOUT_MS = 5_000;
const FLUSH_MS = 1_000;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER };

export interface OpenTelemetryOptions {
    /** Of a collector that takes OTLP over HTTP. */
    endpoint: string;
    service: string;
    version: string;
    /** Of the traces that begin here, from 0 to 1; others are measured where they began. */
    share: number;
}

/** Traces by OpenTelemetry. Nothing global is changed, and no module is patched. */
export function openTelemetry({ endpoint, service, version, share }: OpenTelemetryOptions): Tracing {
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const provider = new TracerProvider({
        resource: resourceFromAttributes({ 'service.name': service, 'service.version': version }),
        sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
        spanProcessors: [
            new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS }) }),
        ],
    });
    const tracer = provider.getTracer('llm-api-layer', version);
    const current = new AsyncLocalStorage<Span>();
    const begin = (name: string, { kind, parent, attributes = {} }: SpanStart, within?: Span): Span => {
        const options = { attributes, ...(kind && { kind: KINDS[kind] }) };
        return tracer.startSpan(name, options, contextOf(parent, within));
    };
    const beginHere = (name: string, start: SpanStart): Span => begin(name, start, current.getStore());
    const silence = traceChannels({ begin: (name, start) => (current.getStore() ? beginHere(name, start) : null) });
    return {
        isOn: true,
        async inSpan(name, start, work) {
            const span = beginHere(name, start);
            try {
                return await current.run(span, work);
            } catch (error) {
                fail(span, nameOf(error));
                throw error;
            } finally {
                span.end();
            }
        },
        enter(name, start) {
            // Not within what is current: that is what came before on the same connection.
            const span = begin(name, start);
            current.enterWith(span);
            return openSpan(span);
        },
        traceparent: () => traceparentOf(current.getStore()),
        async close() {
            silence();
            // A collector that is away is not waited for.
            await Promise.race([
                provider.shutdown().catch(() => undefined),
                sleep(FLUSH_MS, undefined, { ref: false }),
            ]);
        },
    };
}

/** A span that was begun, as it is ended. */
const openSpan = (span: Span): OpenSpan => ({
    end({ name, attributes = {}, failure }) {
        if (name !== undefined) span.updateName(name);
        span.setAttributes(attributes);
        if (failure !== undefined) fail(span, failure);
        span.end();
    },
});

/** A message may hold anything: what failed is told by its kind. */
function fail(span: Span, failure: string): void {
    span.setAttribute('error.type', failure);
    span.setStatus({ code: SpanStatusCode.ERROR });
}

/** What an error is called, which says nothing of its contents. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Error');

function contextOf(traceparent: string | undefined, current: Span | undefined): Context {
    const remote = traceparent === undefined ? null : parse(traceparent);
    if (remote) return trace.setSpanContext(ROOT_CONTEXT, remote);
    return current ? trace.setSpan(ROOT_CONTEXT, current) : ROOT_CONTEXT;
}

/** Null when it is none: a trace begins then. */
function parse(traceparent: string): SpanContext | null {
    const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(traceparent) ?? [];
    const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
    return isSpanContextValid(context) ? context : null;
}

function traceparentOf(span: Span | undefined): string | undefined {
    if (!span) return undefined;
    const { traceId, spanId, traceFlags } = span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
