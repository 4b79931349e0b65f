import { isBoom } from '@hapi/boom';

import { BUCKETS, type Metrics } from '../telemetry/metrics.ts';

import type { Plugin, Request } from '@hapi/hapi';

export interface HttpMetricsOptions {
    metrics: Metrics;
    /** Whether requests are measured; how many streams are open is known in any case. */
    measuresRequests: boolean;
}

/** What clients may make up stands under one name. */
const OTHER = 'other';
const METHODS = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options']);
/** Of hapi's routes for what leads nowhere. */
const NO_ROUTE = '_special';
/** The client went before it was answered; the number is nginx'. */
const GONE = 499;

/** Measures requests by route, never by path, and counts open event streams. */
export const httpMetrics: Plugin<HttpMetricsOptions> = {
    name: 'http-metrics',
    register: (server, { metrics, measuresRequests }) => {
        const streams = metrics.level('http_streams_open', 'Event streams that are open in this process');
        const open = new WeakSet<Request>();
        server.ext('onPreResponse', (request, h) => {
            if (!isEventStream(request)) return h.continue;
            streams.up();
            open.add(request);
            request.app.answeredAt = performance.now();
            return h.continue;
        });
        server.events.on('response', (request) => {
            if (open.delete(request)) streams.down();
        });
        if (!measuresRequests) return;

        const measure = requestMeter(metrics);
        server.ext('onRequest', (request, h) => {
            request.app.beganAt = performance.now();
            return h.continue;
        });
        server.events.on('response', measure);
    },
};

/** What is known of a request that was answered, or given up. */
type AnsweredRequest = Pick<Request, 'method'> & {
    app: Pick<Request['app'], 'beganAt' | 'answeredAt' | 'errorCode'>;
    route: Pick<Request['route'], 'method' | 'path'>;
    response: Request['response'] | null;
};

/** Measures a request when it is over. */
export function requestMeter(metrics: Metrics): (request: AnsweredRequest) => void {
    const labels = ['method', 'route', 'status'];
    const total = metrics.counter('http_requests_total', 'Requests that were answered', labels);
    const help = 'Time to the end of an answer; of an event stream, to its beginning';
    const duration = metrics.histogram('http_request_duration_seconds', help, BUCKETS.request, labels);
    const errors = metrics.counter('http_errors_total', 'Answers with an error of the catalogue', ['code']);
    return ({ app, method, route, response }) => {
        const { beganAt, answeredAt = performance.now(), errorCode } = app;
        // What failed before hapi knew what it is has not begun.
        if (beganAt === undefined) return;
        const verb = METHODS.has(method) ? method.toUpperCase() : OTHER;
        const path = route.method === (NO_ROUTE as string) ? OTHER : route.path;
        const status = String(statusOf(response));
        total(verb, path, status).inc();
        duration(verb, path, status).observe((answeredAt - beganAt) / 1000);
        if (errorCode !== undefined) errors(errorCode).inc();
    };
}

const statusOf = (response: Request['response'] | null): number =>
    (isBoom(response) ? response.output.statusCode : response?.statusCode) ?? GONE;

function isEventStream({ response }: Request): boolean {
    if (isBoom(response) || response.variety !== 'stream') return false;
    return String(response.headers['content-type']).startsWith('text/event-stream');
}
