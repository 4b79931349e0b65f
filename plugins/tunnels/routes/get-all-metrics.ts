import { describeRoute } from '../../../src/http/describe-route.ts';
import { daysQuery, type DaysQuery } from '../../../src/relay/figure-schemas.ts';
import { metricsAnswer, metricsExample } from '../metric-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { MetricsService } from '../metrics-service.ts';

export const getAllMetrics = (metrics: MetricsService): ServerRoute<{ Query: DaysQuery }> => ({
    method: 'GET',
    path: '/api/tunnels/metrics',
    options: {
        ...describeRoute('Read what went through your tunnels', {
            tag: 'tunnels',
            notes: 'Of all that you have or had.',
            answer: metricsAnswer,
            example: { metrics: metricsExample },
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { query: daysQuery },
    },
    handler: async ({ auth, query }) => ({
        metrics: await metrics.ofAll(auth.credentials.actor, query.days),
    }),
});
