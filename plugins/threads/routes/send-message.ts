import { describeRoute } from '../../../src/http/describe-route.ts';
import { eventStream } from '../../../src/http/sse.ts';
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
import type { MessageService, Sent } from '../message-service.ts';

const NOTES = `With \`stream: true\` the answer comes as server-sent events (\`text/event-stream\`): \`message_start\`,
\`token\` for each piece of text, \`message_complete\`, or \`error\` with the error object, and \`close\`; a comment line
every 15 s keeps the connection open. The HTTP status is sent when the model has begun to answer, so a refusal is a real
4xx or 5xx. The answer is stored to its end also when the client goes away.`;

export const sendMessage = (
    messages: MessageService,
): ServerRoute<{ Params: ContextParams; Payload: SendMessage }> => ({
    method: 'POST',
    path: '/api/threads/{threadId}/models/{modelId}/messages',
    options: {
        ...describeRoute('Send a message to a model', {
            tag: 'messages',
            notes: NOTES,
            answer: sentAnswer,
            example: sentExample,
            streamExample: eventsExample,
            errors: [
                'THREAD_NOT_FOUND',
                'MODEL_NOT_FOUND',
                'MESSAGE_TOO_LONG',
                'CONCURRENCY_LIMIT',
                'PROVIDER_KEY_MISSING',
                'PROVIDER_KEY_INVALID',
                'PROVIDER_REFUSED',
                'PROVIDER_RATE_LIMITED',
                'PROVIDER_ERROR',
                'PROVIDER_OVERLOADED',
                'PROVIDER_TIMEOUT',
                'SHUTTING_DOWN',
            ],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: contextParams, payload: sendMessagePayload },
        // The model's own deadlines hold here.
        timeout: { server: false },
    },
    handler: async ({ auth, params: { threadId, modelId }, payload: { stream, ...message } }, h) => {
        const sent = await messages.send(auth.credentials.actor, threadId, modelId, message);
        if (!stream) return whole(sent);
        // A refusal before the first token is a real status; afterwards it is an event.
        await sent.generation.started;
        return h
            .response(eventStream(sent.generation.log.read()))
            .type('text/event-stream')
            .header('cache-control', 'no-cache')
            .header('x-accel-buffering', 'no');
    },
});

async function whole({ userMessage, generation, ignoredParameters }: Sent) {
    const assistantMessage = await generation.finished;
    return {
        userMessage,
        assistantMessage,
        ...(ignoredParameters.length > 0 && { details: { ignoredParameters } }),
    };
}
