import { describeRoute } from '../../../src/http/describe-route.ts';
import { liveAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const alive = { status: 'alive' };

export const getLive = (): ServerRoute => ({
    method: 'GET',
    path: '/health/live',
    options: {
        ...describeRoute('Whether the process lives', {
            tag: 'health',
            notes: 'Touches nothing: Redis being away is no reason to restart the process.',
            answer: liveAnswer,
            example: alive,
            isPublic: true,
        }),
        auth: false,
    },
    handler: () => alive,
});
