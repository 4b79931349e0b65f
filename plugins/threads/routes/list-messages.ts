import { describeRoute } from '../../../src/http/describe-route.ts';
import { contextParams, messageQuery, messagesAnswer, messagesExample, type ContextParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { MessageService } from '../message-service.ts';

export const listMessages = (messages: MessageService): ServerRoute<{ Params: ContextParams; Query: PageParams }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}/models/{modelId}/messages',
    options: {
        ...describeRoute("List the messages of a model's context in a thread", {
            tag: 'messages',
            answer: messagesAnswer,
            example: messagesExample,
            isPage: true,
            notes:
                'Newest first and without a cursor, answers that are on their way come first, `pending` or `generating` ' +
                'with their text so far: besides the messages of the page, and not counted.',
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'INVALID_CURSOR'],
            rateLimit: { limit: 100, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { params: contextParams, query: messageQuery },
    },
    handler: async ({ auth, params: { threadId, modelId }, query: { order, limit, cursor } }) => {
        const page = { direction: order, limit, cursor };
        const { items, pagination } = await messages.list(auth.credentials.actor, threadId, modelId, page);
        return { messages: items, pagination };
    },
});
