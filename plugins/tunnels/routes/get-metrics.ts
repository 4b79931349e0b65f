import { describeRoute } from '../../../src/http/describe-route.ts';
import { daysQuery, type DaysQuery } from '../../../src/relay/figure-schemas.ts';
import { metricsAnswer, metricsExample } from '../metric-schemas.ts';
import { tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { MetricsService } from '../metrics-service.ts';

export const getMetrics = (metrics: MetricsService): ServerRoute<{ Params: TunnelParams; Query: DaysQuery }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/metrics',
    options: {
        ...describeRoute('Read what went through a tunnel', {
            tag: 'tunnels',
            answer: metricsAnswer,
            example: { metrics: metricsExample },
            errors: ['TUNNEL_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams, query: daysQuery },
    },
    handler: async ({ auth, params, query }) => ({
        metrics: await metrics.of(auth.credentials.actor, params.tunnelId, query.days),
    }),
});
