import { describeRoute } from '../../../src/http/describe-route.ts';
import { versionAnswer, versionExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { HealthService } from '../service.ts';

export const getVersion = (health: HealthService): ServerRoute => ({
    method: 'GET',
    path: '/api/version',
    options: describeRoute('What is running', {
        tag: 'health',
        answer: versionAnswer,
        example: versionExample,
        rateLimit: { limit: 30, window: 60 },
    }),
    handler: () => health.version(),
});
