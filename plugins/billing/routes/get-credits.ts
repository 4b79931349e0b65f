import { describeRoute } from '../../../src/http/describe-route.ts';
import { creditsAnswer, creditsData } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { CreditService } from '../credit-service.ts';

export const getCredits = (credits: CreditService): ServerRoute => ({
    method: 'GET',
    path: '/api/billing/credits',
    options: {
        ...describeRoute('Show the credits of your tenant', {
            tag: 'billing',
            notes: 'What is held is set aside for calls that are on their way; available is what they leave.',
            answer: creditsAnswer,
            example: creditsData,
            isQuotaFree: true,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'billing:read' } },
    },
    handler: async ({ auth }) => ({ credits: await credits.credits(auth.credentials.actor.tenantId) }),
});
