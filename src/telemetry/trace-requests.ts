import type { Plugin, Request } from '@hapi/hapi';
import type { OpenSpan, SpanAttributes, Tracing } from './tracing.ts';

/** Measures each request, by the template of its route. It has to come first: what is done from then on belongs to it. */
export const traceRequests: Plugin<{ tracing: Tracing }> = {
    name: 'trace-requests',
    register: (server, { tracing }) => {
        const spans = new WeakMap<Request, OpenSpan>();
        server.ext('onRequest', (request, h) => {
            const parent: unknown = request.headers.traceparent;
            const attributes = { 'http.request.method': request.method.toUpperCase() };
            const start = { kind: 'server', ...(typeof parent === 'string' && { parent }), attributes } as const;
            spans.set(request, tracing.enter(request.method.toUpperCase(), start));
            return h.continue;
        });
        server.events.on('response', (request) => {
            const { response } = request;
            // There is none when the client went away before it.
            const statusCode = response && 'statusCode' in response ? response.statusCode : 0;
            spans.get(request)?.end({
                name: `${request.method.toUpperCase()} ${request.route.path}`,
                attributes: attributesOf(request, statusCode),
                failure: statusCode >= 500 ? String(statusCode) : undefined,
            });
        });
    },
};

function attributesOf({ app, auth, route }: Request, statusCode: number): SpanAttributes {
    const actor = auth.isAuthenticated ? auth.credentials.actor : undefined;
    return {
        'http.route': route.path,
        'http.response.status_code': statusCode,
        'request.id': app.requestId,
        'tenant.id': actor?.tenantId,
    };
}
