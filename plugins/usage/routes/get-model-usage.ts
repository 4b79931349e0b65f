import { describeRoute } from '../../../src/http/describe-route.ts';
import { modelUsageAnswer, modelUsageExample, usageQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { UsageQuery, UsageRules } from '../service.ts';

const NOTES = `Your calls by model and by day, or by month with \`months\`, in UTC. A call counts where it ended, for the
model that answered; errors and cancelled calls are among the calls, with what they used.

Does not count against the quota, and can be read when that is used up.`;

export const getModelUsage = (usage: UsageRules): ServerRoute<{ Query: UsageQuery }> => ({
    method: 'GET',
    path: '/api/profile/usage/models',
    options: {
        ...describeRoute('What you have called models for', {
            tag: 'limits',
            notes: NOTES,
            answer: modelUsageAnswer,
            example: modelUsageExample,
            rateLimit: { limit: 60, window: 60 },
            isQuotaFree: true,
        }),
        auth: { access: { scope: 'profile:read' } },
        validate: { query: usageQuery },
    },
    handler: async ({ auth, query }) => ({ usage: await usage.read(auth.credentials.actor, query) }),
});
