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
import type { ShareWork } from '../../../src/http/idempotency.ts';
import type { MessageService } from '../message-service.ts';
import type { SentData } from '../reply.ts';

const NOTES = `With \`stream: true\` the answer comes as server-sent events (\`text/event-stream\`): \`message_start\`,
\`token\` for each piece of text, \`message_complete\`, or \`error\` with the error object, and \`close\`; a comment line
every 15 s keeps the connection open. The HTTP status is sent when the model has begun to answer, so a refusal is a real
4xx or 5xx. The answer is stored to its end also when the client goes away.

With an \`Idempotency-Key\` a repeat joins the answer that is on its way: events come from the start, then live. After its
end the stored text comes in one \`token\`. While another server writes the answer the repeat is refused with
\`IDEMPOTENCY_IN_PROGRESS\`.`;

export const sendMessage = (
    messages: MessageService,
    share: ShareWork,
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
                'CIRCUIT_OPEN',
                'PROVIDER_TIMEOUT',
                'SHUTTING_DOWN',
            ],
            rateLimit: { limit: 20, window: 60 },
            idempotent: 'shared',
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: contextParams, payload: sendMessagePayload },
        // The model's own deadlines hold here.
        timeout: { server: false },
    },
    handler: async (request, h) => {
        const { threadId, modelId } = request.params;
        const { stream, ...message } = request.payload;
        const reply = await share(request, {
            start: () => messages.send(request.auth.credentials.actor, threadId, modelId, message),
            result: (running) => running.whole(),
            restore: (sent) => messages.restore(sent as SentData),
        });
        if (!stream) return reply.whole();
        // A refusal before the first token is a real status; afterwards it is an event.
        await reply.started;
        return h
            .response(eventStream(reply.events()))
            .type('text/event-stream')
            .header('cache-control', 'no-cache')
            .header('x-accel-buffering', 'no');
    },
});
