import { describeRoute } from '../../../src/http/describe-route.ts';
import { PAYMENT_ERRORS } from '../../billing/api.ts';
import { CALL_ERRORS } from '../../models/api.ts';
import { contextParams, type ContextParams } from '../schemas.ts';
import { publicSummary, summaryAnswer, summaryExample } from '../summary-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SummaryService } from '../summary-service.ts';

const NOTES = `Summarises what no summary covers yet, together with the summary there is, by the model itself. From then on
its calls begin with the summary and the messages after it. After as many messages as \`summarizationInterval\` in the
user's settings says this happens by itself.`;

export const summarize = (summaries: SummaryService): ServerRoute<{ Params: ContextParams }> => ({
    method: 'POST',
    path: '/api/threads/{threadId}/models/{modelId}/summarize',
    options: {
        ...describeRoute('Summarise a conversation', {
            tag: 'threads',
            notes: NOTES,
            answer: summaryAnswer,
            example: summaryExample,
            errors: [
                'THREAD_NOT_FOUND',
                'MODEL_NOT_FOUND',
                'NOTHING_TO_SUMMARIZE',
                'SUMMARY_NOT_FOUND',
                'CONCURRENCY_LIMIT',
                ...CALL_ERRORS,
                ...PAYMENT_ERRORS,
                'SHUTTING_DOWN',
            ],
            grows: true,
            rateLimit: { limit: 5, window: 60 },
            isExpensive: true,
            idempotent: true,
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: contextParams },
        // The summary's own deadline holds here.
        timeout: { server: false },
    },
    handler: async (request) => {
        const { threadId, modelId } = request.params;
        const { actor } = request.auth.credentials;
        // Who sent an Idempotency-Key may come back for it.
        const isWanted = () => request.active() || request.headers['idempotency-key'] !== undefined;
        return publicSummary(await summaries.summarize(actor, threadId, modelId, isWanted));
    },
});
