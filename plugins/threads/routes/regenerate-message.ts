import { describeRoute } from '../../../src/http/describe-route.ts';
import { ANSWER_ERRORS, giveAnswer, type AnswerParts } from '../give-answer.ts';
import {
    eventsExample,
    messageParams,
    regenerateMessagePayload,
    sentAnswer,
    sentExample,
    type MessageParams,
    type RegenerateMessage,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const NOTES = `Asks the model once more for the last answer of its context. The new answer, which is whole or a stream as
when a message is sent, takes the place of the old one when it has ended with some text; until then, and when it fails,
the old one stays.`;

export const regenerateMessage = (
    parts: AnswerParts,
): ServerRoute<{ Params: MessageParams; Payload: RegenerateMessage }> => ({
    method: 'POST',
    path: '/api/threads/{threadId}/models/{modelId}/messages/{messageId}/regenerate',
    options: {
        ...describeRoute('Give the last answer anew', {
            tag: 'messages',
            notes: NOTES,
            answer: sentAnswer,
            example: sentExample,
            streamExample: eventsExample,
            errors: [...ANSWER_ERRORS, 'MESSAGE_NOT_FOUND', 'NOT_LAST_ANSWER', 'ANSWER_RUNNING'],
            grows: true,
            isExpensive: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: 'shared',
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: messageParams, payload: regenerateMessagePayload },
        timeout: { server: false },
    },
    handler: (request, h) => {
        const { threadId, modelId: modelName, messageId } = request.params;
        const { stream, ...options } = request.payload;
        const { actor } = request.auth.credentials;
        return giveAnswer(parts, request, h, {
            isStream: stream,
            start: ({ answerId }, isWanted) =>
                parts.messages.regenerate(
                    actor,
                    { threadId, modelName, messageId },
                    { ...options, isWanted },
                    answerId,
                ),
        });
    },
});
