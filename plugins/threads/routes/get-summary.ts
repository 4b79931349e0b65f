import { describeRoute } from '../../../src/http/describe-route.ts';
import { contextParams, type ContextParams } from '../schemas.ts';
import { publicSummary, summaryAnswer, summaryExample } from '../summary-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SummaryService } from '../summary-service.ts';

export const getSummary = (summaries: SummaryService): ServerRoute<{ Params: ContextParams }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}/models/{modelId}/summary',
    options: {
        ...describeRoute('Read the summary of a conversation', {
            tag: 'threads',
            answer: summaryAnswer,
            example: summaryExample,
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'SUMMARY_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { params: contextParams },
    },
    handler: async ({ auth, params: { threadId, modelId } }) =>
        publicSummary(await summaries.get(auth.credentials.actor, threadId, modelId)),
});
