import { describeRoute } from '../../../src/http/describe-route.ts';
import { limitsAnswer, limitsData } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LimitService } from '../limit-service.ts';

export const getLimits = (limits: LimitService): ServerRoute => ({
    method: 'GET',
    path: '/api/billing/limits',
    options: {
        ...describeRoute('Show what may be spent in a month', {
            tag: 'billing',
            answer: limitsAnswer,
            example: limitsData,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'billing:read' } },
    },
    handler: async ({ auth }) => ({ limits: await limits.read(auth.credentials.actor.tenantId) }),
});
