import Joi from 'joi';

import { clientGone } from '../../../src/http/client-gone.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { eventAnswer } from '../give-answer.ts';
import { eventsExample, messageAnswer, messageExample, messageParams, type MessageParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AnswerService } from '../answer-service.ts';

interface ResumeHeaders {
    'last-event-id'?: number;
}

const NOTES = `The answer's events once more as server-sent events, on any server: with \`Last-Event-ID\` those after
that one, else all of them; then what comes. They are kept for 15 minutes after the end. Later the stream without
\`Last-Event-ID\` has the whole text in one \`token\`, and with it there is nothing to go on from: \`STREAM_EXPIRED\`.`;

export const streamMessage = (
    answers: AnswerService,
): ServerRoute<{ Params: MessageParams; Headers: ResumeHeaders }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}/models/{modelId}/messages/{messageId}/stream',
    options: {
        ...describeRoute('Follow or resume an answer', {
            tag: 'messages',
            notes: NOTES,
            answer: messageAnswer,
            example: messageExample,
            streamExample: eventsExample,
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'MESSAGE_NOT_FOUND', 'STREAM_EXPIRED'],
            rateLimit: { limit: 100, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: {
            params: messageParams,
            headers: Joi.object<ResumeHeaders>({
                'last-event-id': Joi.number()
                    .integer()
                    .min(0)
                    .max(1e9)
                    .description('the `id` of the last event that the client has'),
            })
                .unknown()
                .label('ResumeHeaders'),
        },
        timeout: { server: false },
    },
    handler: async (request, h) => {
        const { threadId, modelId, messageId } = request.params;
        const known = request.headers['last-event-id'];
        const { actor } = request.auth.credentials;
        const gone = clientGone(request);
        return eventAnswer(h, await answers.events(actor, threadId, modelId, messageId, gone, known));
    },
});
