import { createBrotliCompress } from 'node:zlib';

import Hapi from '@hapi/hapi';
import HapiPino from 'hapi-pino';

import { clientAddress } from './http/client-address.ts';
import { connections } from './http/connections.ts';
import { httpMetrics } from './http/http-metrics.ts';
import { idempotency } from './http/idempotency.ts';
import { replicatedAnswers } from './http/replicated-answers.ts';
import { responses } from './http/responses.ts';
import { refuseIllFormedText } from './http/well-formed.ts';
import { noReports } from './telemetry/error-reports.ts';
import { requestLog } from './telemetry/request-log.ts';
import { traceRequests } from './telemetry/trace-requests.ts';
import { accounts } from '../plugins/accounts/index.ts';
import { admin } from '../plugins/admin/index.ts';
import { audit } from '../plugins/audit/index.ts';
import { auth } from '../plugins/auth/index.ts';
import { backups } from '../plugins/backups/index.ts';
import { billing } from '../plugins/billing/index.ts';
import { adminConsole } from '../plugins/console/index.ts';
import { directory } from '../plugins/directory/index.ts';
import { docs } from '../plugins/docs/index.ts';
import { events } from '../plugins/events/index.ts';
import { health } from '../plugins/health/index.ts';
import { keys } from '../plugins/keys/index.ts';
import { limits } from '../plugins/limits/index.ts';
import { metrics } from '../plugins/metrics/index.ts';
import { models } from '../plugins/models/index.ts';
import { openai } from '../plugins/openai/index.ts';
import { operations } from '../plugins/operations/index.ts';
import { profile } from '../plugins/profile/index.ts';
import { projects } from '../plugins/projects/index.ts';
import { proxies } from '../plugins/proxies/index.ts';
import { reports } from '../plugins/reports/index.ts';
import { tenants } from '../plugins/tenants/index.ts';
import { threads } from '../plugins/threads/index.ts';
import { tunnels } from '../plugins/tunnels/index.ts';
import { usage } from '../plugins/usage/index.ts';
import { users } from '../plugins/users/index.ts';
import { vms } from '../plugins/vms/index.ts';
import { webhooks } from '../plugins/webhooks/index.ts';

import type { Config } from './config.ts';
import type { Platform } from './platform.ts';

const MAX_BODY_BYTES = 1_048_576;
const REQUEST_TIMEOUT_MS = 30_000;
/** In production a small sample of the answers is checked against their schemas, elsewhere every one. */
const CHECKED_ANSWERS_PERCENT = { production: 1, development: 100, test: 100 };

/** Composes the server: the platform's ways first, then the features. It does not listen yet. */
export async function createServer(platform: Platform): Promise<Hapi.Server> {
    const { config, clock, logger, replication, tracing, errorReports = noReports } = platform;
    const server = Hapi.server({
        host: config.HOST,
        port: config.PORT,
        routes: routeDefaults(config),
        // A compressed event would wait in the compressor for the next one.
        mime: { override: { 'text/event-stream': { compressible: false } } },
    });
    server.encoder('br', () => createBrotliCompress());

    if (tracing?.isOn) await server.register({ plugin: traceRequests, options: { tracing } });
    const measures = { metrics: platform.metrics, measuresRequests: config.METRICS };
    await server.register({ plugin: httpMetrics, options: measures });
    await server.register({ plugin: connections, options: platform });
    const { TRUSTED_PROXIES: trustedProxies, REQUIRE_HTTPS: requireHttps } = config;
    await server.register({ plugin: clientAddress, options: { trustedProxies, requireHttps } });
    server.ext('onPostAuth', refuseIllFormedText);
    if (replication) await server.register({ plugin: replicatedAnswers, options: { replication } });
    await server.register({ plugin: responses, options: { clock, errorReports } });
    await server.register({ plugin: HapiPino, options: requestLog(logger) });
    await server.register({ plugin: idempotency, options: platform });
    for (const feature of [
        operations,
        tenants,
        users,
        auth,
        keys,
        events,
        limits,
        directory,
        admin,
        accounts,
        models,
        billing,
        profile,
        usage,
        threads,
        openai,
        projects,
        vms,
        tunnels,
        proxies,
        audit,
        webhooks,
        backups,
        reports,
        health,
        metrics,
        docs,
        adminConsole,
    ]) {
        await server.register({ plugin: feature, options: platform });
    }
    return server;
}

const routeDefaults = ({ NODE_ENV, CORS_ORIGINS }: Config): Hapi.RouteOptions => ({
    payload: { maxBytes: MAX_BODY_BYTES, allow: 'application/json', timeout: 10_000 },
    timeout: { server: REQUEST_TIMEOUT_MS },
    validate: {
        options: { abortEarly: false, errors: { wrap: { label: false } } },
        failAction: (_request, _h, error) => {
            throw error ?? new Error('Validation failed without an error');
        },
    },
    response: {
        sample: CHECKED_ANSWERS_PERCENT[NODE_ENV],
        failAction: NODE_ENV === 'production' ? 'log' : 'error',
    },
    cache: { otherwise: 'no-store' },
    security: { hsts: NODE_ENV === 'production', xss: 'disabled', noOpen: false, referrer: 'no-referrer' },
    cors: CORS_ORIGINS.length > 0 && {
        origin: CORS_ORIGINS,
        credentials: true,
        additionalHeaders: ['X-API-Key', 'X-Request-Id', 'X-Tenant-Id', 'Idempotency-Key', 'Last-Event-ID'],
        additionalExposedHeaders: [
            'X-Request-Id',
            'X-RateLimit-Limit',
            'X-RateLimit-Remaining',
            'X-RateLimit-Reset',
            'X-RateLimit-Window',
            'Retry-After',
            'ETag',
            'Idempotent-Replayed',
            'X-Ignored-Parameters',
            'Deprecation',
            'Sunset',
            'Link',
        ],
    },
});
