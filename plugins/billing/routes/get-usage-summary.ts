import { describeRoute } from '../../../src/http/describe-route.ts';
import { summaryAnswer, summaryData, summaryQuery } from '../report-schemas.ts';
import { MOST_NAMED, type Period, type SummaryService } from '../summary-service.ts';

import type { ServerRoute } from '@hapi/hapi';

const NOTES = `By hour for a day, else by day, this one among them. The ${MOST_NAMED} dearest of each kind are named. Refunds are
not taken off.`;

export const getUsageSummary = (summaries: SummaryService): ServerRoute<{ Query: { period: Period } }> => ({
    method: 'GET',
    path: '/api/billing/usage-summary',
    options: {
        ...describeRoute('Show what the credits were spent on', {
            tag: 'billing',
            notes: NOTES,
            answer: summaryAnswer,
            example: summaryData,
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'billing:read' } },
        validate: { query: summaryQuery },
    },
    handler: async ({ auth, query }) => ({
        summary: await summaries.usage(auth.credentials.actor.tenantId, query.period),
    }),
});
