import { describeRoute } from '../../../src/http/describe-route.ts';
import { cancelledExample, messageAnswer, messageParams, type MessageParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AnswerService } from '../answer-service.ts';

export const cancelMessage = (answers: AnswerService): ServerRoute<{ Params: MessageParams }> => ({
    method: 'POST',
    path: '/api/threads/{threadId}/models/{modelId}/messages/{messageId}/cancel',
    options: {
        ...describeRoute('Cancel an answer', {
            tag: 'messages',
            notes:
                'Stops the model, on whichever server it runs. What came until then is kept, with the status ' +
                '`cancelled`, and counts as used. A second cancellation changes nothing.',
            answer: messageAnswer,
            example: cancelledExample,
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'MESSAGE_NOT_FOUND', 'ANSWER_ENDED'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: messageParams },
    },
    handler: async ({ auth, params: { threadId, modelId, messageId } }) => ({
        message: await answers.cancel(auth.credentials.actor, threadId, modelId, messageId),
    }),
});
