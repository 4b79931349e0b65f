import { describeRoute } from '../../../src/http/describe-route.ts';
import { ANSWER_ERRORS, giveAnswer, type AnswerParts } from '../give-answer.ts';
import {
    contextParams,
    eventsExample,
    sendMessagePayload,
    sentAnswer,
    sentExample,
    type ContextParams,
    type SendMessage,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const NOTES = `With \`stream: true\` the answer comes as server-sent events (\`text/event-stream\`): \`message_start\` (with
\`answeredBy\` where a fallback answers), \`token\` for each piece of text, \`message_complete\`, or \`error\` with the error object, and \`close\`; a comment line
every 15 s keeps the connection open. The HTTP status is sent when the model has begun to answer, so a refusal is a real
4xx or 5xx. The answer is stored to its end also when the client goes away.

Without an API key of the user's own the call is paid from the tenant's credits. Its output is limited to what they pay;
when they run out in the middle, the answer ends there with the finish reason \`length\`.

With an \`Idempotency-Key\` a repeat joins the answer that is on its way, on any server: events come from the start,
then live. After its end the stored text comes in one \`token\`. A connection that is lost is resumed with
\`GET …/messages/{messageId}/stream\` and \`Last-Event-ID\`.`;

export const sendMessage = (parts: AnswerParts): ServerRoute<{ Params: ContextParams; Payload: SendMessage }> => ({
    method: 'POST',
    path: '/api/threads/{threadId}/models/{modelId}/messages',
    options: {
        ...describeRoute('Send a message to a model', {
            tag: 'messages',
            notes: NOTES,
            answer: sentAnswer,
            example: sentExample,
            streamExample: eventsExample,
            grows: true,
            isExpensive: true,
            errors: [...ANSWER_ERRORS, 'MESSAGE_TOO_LONG'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: 'shared',
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: contextParams, payload: sendMessagePayload },
        // The model's own deadlines hold here.
        timeout: { server: false },
    },
    handler: (request, h) => {
        const { threadId, modelId } = request.params;
        const { stream, ...message } = request.payload;
        const { actor } = request.auth.credentials;
        return giveAnswer(parts, request, h, {
            isStream: stream,
            start: (ids, isWanted) => parts.messages.send(actor, threadId, modelId, { ...message, isWanted }, ids),
        });
    },
});
