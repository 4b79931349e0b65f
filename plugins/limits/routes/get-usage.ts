import { describeRoute } from '../../../src/http/describe-route.ts';
import { usageAnswer, usageExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { LimitRules } from '../service.ts';

export const getUsage = (limits: LimitRules): ServerRoute => ({
    method: 'GET',
    path: '/api/profile/usage',
    options: describeRoute('What you have used of your limits', {
        tag: 'limits',
        answer: usageAnswer,
        example: usageExample,
        notes: 'Does not count against the quota, and can be read when that is used up.',
        isQuotaFree: true,
    }),
    handler: ({ auth }) => limits.usage(auth.credentials.actor),
});
