import { describeRoute } from '../../../src/http/describe-route.ts';
import { limitPayload, limitsAnswer, limitsData } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LimitService, LimitSettings } from '../limit-service.ts';

const NOTES = `What is left out stays as it is; null takes a limit away. Limits are for calendar months in UTC, and hold for
what is begun from now on: a call that would go past one is refused with \`SPEND_LIMIT_REACHED\`.`;

export const setLimits = (limits: LimitService): ServerRoute<{ Payload: LimitSettings }> => ({
    method: 'PUT',
    path: '/api/billing/limits',
    options: {
        ...describeRoute('Set what may be spent in a month', {
            tag: 'billing',
            notes: NOTES,
            answer: limitsAnswer,
            example: limitsData,
            errors: ['USER_NOT_FOUND', 'KEY_NOT_FOUND'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'billing:limit' } },
        validate: { payload: limitPayload },
    },
    handler: async ({ auth, payload }) => ({ limits: await limits.set(auth.credentials.actor, payload) }),
});
