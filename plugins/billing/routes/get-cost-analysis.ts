import { describeRoute } from '../../../src/http/describe-route.ts';
import { analysisAnswer, analysisData } from '../report-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SummaryService } from '../summary-service.ts';

export const getCostAnalysis = (summaries: SummaryService): ServerRoute => ({
    method: 'GET',
    path: '/api/billing/cost-analysis',
    options: {
        ...describeRoute('Show where the spending is going', {
            tag: 'billing',
            answer: analysisAnswer,
            example: analysisData,
            rateLimit: { limit: 30, window: 60 },
        }),
        auth: { access: { scope: 'billing:read' } },
    },
    handler: async ({ auth }) => ({ analysis: await summaries.analysis(auth.credentials.actor.tenantId) }),
});
