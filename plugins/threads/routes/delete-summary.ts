import { describeRoute } from '../../../src/http/describe-route.ts';
import { contextParams, type ContextParams } from '../schemas.ts';
import { deletedSummaryAnswer } from '../summary-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SummaryService } from '../summary-service.ts';

const NOTES = `The messages stay, and the model's calls begin with them again. A new summary is made when it is asked for,
or when enough messages have come.`;

export const deleteSummary = (summaries: SummaryService): ServerRoute<{ Params: ContextParams }> => ({
    method: 'DELETE',
    path: '/api/threads/{threadId}/models/{modelId}/summary',
    options: {
        ...describeRoute('Delete the summary of a conversation', {
            tag: 'threads',
            notes: NOTES,
            answer: deletedSummaryAnswer,
            example: { deletedSummary: 'sandbox' },
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'SUMMARY_NOT_FOUND'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: contextParams },
    },
    handler: async ({ auth, params: { threadId, modelId } }) => ({
        deletedSummary: await summaries.delete(auth.credentials.actor, threadId, modelId),
    }),
});
