import { describeRoute } from '../../../src/http/describe-route.ts';
import { messageAnswer, messageExample, messageParams, type MessageParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AnswerService } from '../answer-service.ts';

export const getMessage = (answers: AnswerService): ServerRoute<{ Params: MessageParams }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}/models/{modelId}/messages/{messageId}',
    options: {
        ...describeRoute('Read a message', {
            tag: 'messages',
            notes: 'An answer that is on its way has the status `pending` or `generating`, and its text so far.',
            answer: messageAnswer,
            example: messageExample,
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'MESSAGE_NOT_FOUND'],
            rateLimit: { limit: 100, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { params: messageParams },
    },
    handler: async ({ auth, params: { threadId, modelId, messageId } }) => ({
        message: await answers.get(auth.credentials.actor, threadId, modelId, messageId),
    }),
});
