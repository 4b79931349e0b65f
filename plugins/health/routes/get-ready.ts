import { describeRoute } from '../../../src/http/describe-route.ts';
import { readyAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { HealthService } from '../service.ts';

const ready = { status: 'ready' };

export const getReady = (health: HealthService): ServerRoute => ({
    method: 'GET',
    path: '/health/ready',
    options: {
        ...describeRoute('Whether the process may be sent requests', {
            tag: 'health',
            answer: readyAnswer,
            example: ready,
            errors: ['SHUTTING_DOWN'],
            isPublic: true,
        }),
        auth: false,
    },
    handler: async () => {
        await health.checkReady();
        return ready;
    },
});
