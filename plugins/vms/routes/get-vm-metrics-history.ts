import { describeRoute } from '../../../src/http/describe-route.ts';
import {
    historyAnswer,
    historyExample,
    historyQuery,
    metricsParams,
    type HistoryQuery,
    type MetricsParams,
} from '../metric-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { MetricsService } from '../metrics-service.ts';

const NOTES = `Samples of the time that the VM ran, by intervals. The newest 1,000 samples of a VM are kept, so that the
history may begin later than \`from\`.`;

type Refs = { Params: MetricsParams; Query: HistoryQuery };

export const getVmMetricsHistory = (metrics: MetricsService): ServerRoute<Refs> => ({
    method: 'GET',
    path: '/api/vms/{vmId}/metrics/history',
    options: {
        ...describeRoute('Get the history of the metrics of a VM', {
            tag: 'vms',
            notes: NOTES,
            answer: historyAnswer,
            example: { history: historyExample },
            errors: ['VM_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'vm:read' } },
        validate: { params: metricsParams, query: historyQuery },
    },
    handler: async ({ auth, params, query: { hours, interval } }) => ({
        history: await metrics.historyOf(auth.credentials.actor, params.vmId, { hours, intervalSeconds: interval }),
    }),
});
