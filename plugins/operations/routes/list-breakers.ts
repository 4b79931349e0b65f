import { describeRoute } from '../../../src/http/describe-route.ts';
import { breakersAnswer, breakersExample } from '../breaker-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { BreakerService } from '../breaker-service.ts';

export const listBreakers = (breakers: BreakerService): ServerRoute => ({
    method: 'GET',
    path: '/api/admin/breakers',
    options: {
        ...describeRoute('The circuit breakers of model providers', {
            tag: 'admin',
            notes: 'Of every provider here, and of all others that are not closed and clean; up to a second old.',
            answer: breakersAnswer,
            example: breakersExample,
        }),
        auth: { access: { scope: 'platform:read' } },
    },
    handler: async ({ auth }) => ({ breakers: await breakers.list(auth.credentials.actor) }),
});
