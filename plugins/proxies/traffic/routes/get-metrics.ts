import { describeRoute } from '../../../../src/http/describe-route.ts';
import { daysQuery, type DaysQuery } from '../../../../src/relay/figure-schemas.ts';
import { metricsAnswer, metricsExample, metricsParams, type MetricsParams } from '../metric-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { MetricsService } from '../metrics-service.ts';

export const getMetrics = (metrics: MetricsService): ServerRoute<{ Params: MetricsParams; Query: DaysQuery }> => ({
    method: 'GET',
    path: '/api/proxies/{proxyId}/metrics',
    options: {
        ...describeRoute('Read what went through a proxy', {
            tag: 'proxies',
            notes: 'A request counts once, and once more for each member that it was sent to.',
            answer: metricsAnswer,
            example: { metrics: metricsExample },
            errors: ['PROXY_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'proxy:read' } },
        validate: { params: metricsParams, query: daysQuery },
    },
    handler: async ({ auth, params, query }) => ({
        metrics: await metrics.of(auth.credentials.actor, params.proxyId, query.days),
    }),
});
