import { describeRoute } from '../../../src/http/describe-route.ts';
import { breakerAnswer, breakerExample, breakerParams, type BreakerParams } from '../breaker-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { BreakerService } from '../breaker-service.ts';

export const resetBreaker = (breakers: BreakerService): ServerRoute<{ Params: BreakerParams }> => ({
    method: 'POST',
    path: '/api/admin/breakers/{name}/reset',
    options: {
        ...describeRoute('Close a circuit breaker', {
            tag: 'admin',
            notes: 'Its failures are forgotten. Other servers follow within a second. The name goes into the path encoded.',
            answer: breakerAnswer,
            example: breakerExample,
            errors: ['BREAKER_NOT_FOUND'],
        }),
        auth: { access: { scope: 'platform:recover' } },
        validate: { params: breakerParams },
    },
    handler: async ({ auth, params }) => ({ breaker: await breakers.reset(auth.credentials.actor, params.name) }),
});
