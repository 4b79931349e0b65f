import { describeRoute } from '../../../src/http/describe-route.ts';
import { metricsAnswer, metricsExample, metricsParams, type MetricsParams } from '../metric-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { MetricsService } from '../metrics-service.ts';

const NOTES = `What the driver says at this moment. A figure that it cannot supply is null, as all of a VM that does not
run; \`unavailable\` says why.`;

export const getVmMetrics = (metrics: MetricsService): ServerRoute<{ Params: MetricsParams }> => ({
    method: 'GET',
    path: '/api/vms/{vmId}/metrics',
    options: {
        ...describeRoute('Get the metrics of a VM', {
            tag: 'vms',
            notes: NOTES,
            answer: metricsAnswer,
            example: { metrics: metricsExample },
            errors: ['VM_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'vm:read' } },
        validate: { params: metricsParams },
    },
    handler: async ({ auth, params }) => ({
        metrics: await metrics.current(auth.credentials.actor, params.vmId),
    }),
});
