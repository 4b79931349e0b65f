import { describeRoute } from '../../../src/http/describe-route.ts';
import { healthAnswer, healthExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { HealthService } from '../service.ts';

/** @param path The route is served at several; `/health`, which load balancers ask, has no limit */
export const getHealth = (health: HealthService, path: string): ServerRoute => ({
    method: 'GET',
    path,
    options: {
        ...describeRoute('How the system is', {
            tag: 'health',
            answer: healthAnswer,
            example: healthExample,
            isPublic: true,
            inMaintenance: true,
            ...(path !== '/health' && {
                errors: ['RATE_LIMITED'],
                rateLimit: { limit: 10, window: 60, bucket: 'health' },
            }),
        }),
        auth: false,
    },
    handler: () => health.report(),
});
