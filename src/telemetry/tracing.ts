import type { Config } from '../config.ts';

/** What a span tells: ids, names and numbers, never content, headers, queries or secrets. */
export type SpanAttributes = Record<string, string | number | undefined>;

/** How a span begins. */
export interface SpanStart {
    kind?: 'server' | 'client' | 'consumer';
    /** The `traceparent` (W3C Trace Context) of what caused it; what is being done here unless given. */
    parent?: string | undefined;
    attributes?: SpanAttributes;
}

/** A piece of work that is being measured. */
export interface OpenSpan {
    /** @param failure The name of what it failed with, if it did */
    end(end: { name?: string; attributes?: SpanAttributes; failure?: string | undefined }): void;
}

/** Tells a collector what is done for whom, and how long it takes. */
export interface Tracing {
    isOn: boolean;
    /** Measures work; what is done within it belongs to it. */
    inSpan<Result>(name: string, start: SpanStart, work: () => Promise<Result>): Promise<Result>;
    /** Begins a span, of a trace of its own unless a parent is given, for whatever this call stack does from here on. */
    enter(name: string, start: SpanStart): OpenSpan;
    /** What others are to be told of the work that is being done; undefined when it is not measured. */
    traceparent(): string | undefined;
    /** Sends what is left. It never fails. */
    close(): Promise<void>;
}

/** What there is without a collector: nothing is measured. */
export const noTracing: Tracing = {
    isOn: false,
    inSpan: (_name, _start, work) => work(),
    enter: () => ({ end: () => undefined }),
    traceparent: () => undefined,
    close: () => Promise.resolve(),
};

/** OpenTelemetry, which is loaded only when there is a collector. */
export async function openTracing(config: Config): Promise<Tracing> {
    if (config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return noTracing;
    const { openTelemetry } = await import('./open-telemetry.ts');
    return openTelemetry({
        endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
        service: config.OTEL_SERVICE_NAME,
        share: config.OTEL_TRACES_SAMPLER_ARG,
        version: config.VERSION,
    });
}
