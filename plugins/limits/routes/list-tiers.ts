import { describeRoute } from '../../../src/http/describe-route.ts';
import { tiersAnswer, tiersExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LimitRules } from '../service.ts';

export const listTiers = (limits: LimitRules): ServerRoute => ({
    method: 'GET',
    path: '/api/tiers',
    options: describeRoute('The tiers, and your own', {
        tag: 'limits',
        answer: tiersAnswer,
        example: tiersExample,
        notes: 'Does not count against the quota, and can be read when that is used up.',
        isQuotaFree: true,
    }),
    handler: ({ auth }) => limits.tiers(auth.credentials.actor),
});
