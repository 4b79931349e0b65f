import { describeRoute } from '../../../src/http/describe-route.ts';

import type { IncomingHttpHeaders } from 'node:http';
import type { ServerRoute } from '@hapi/hapi';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import type { Reader } from '../access.ts';

const EXAMPLE = `# HELP http_requests_total Requests that were answered
# TYPE http_requests_total counter
http_requests_total{method="GET",route="/api/threads",status="200"} 42
`;

export const getMetrics = (metrics: Metrics, check: (reader: Reader) => void): ServerRoute => ({
    method: 'GET',
    path: '/metrics',
    options: {
        ...describeRoute('Metrics of this process', {
            tag: 'health',
            notes:
                'In the text form of Prometheus. With the token of the installation as `Authorization: Bearer …` where ' +
                'one is configured; without one, from its own network only.',
            answersBinary: ['text/plain'],
            byteExamples: { 'text/plain': EXAMPLE },
            isPublic: true,
            errors: ['UNAUTHENTICATED', 'NETWORK_REFUSED'],
        }),
        auth: false,
    },
    handler: async ({ headers, info: { remoteAddress } }, h) => {
        check({ headers: headers as IncomingHttpHeaders, remoteAddress });
        return h.response(await metrics.text()).header('content-type', metrics.contentType);
    },
});
