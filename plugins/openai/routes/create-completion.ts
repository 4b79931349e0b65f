import { clientGone } from '../../../src/http/client-gone.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { writtenStream } from '../../../src/http/sse.ts';
import { PAYMENT_ERRORS } from '../../billing/api.ts';
import { CALL_ERRORS } from '../../models/api.ts';
import { completionAnswer, completionExample, streamExample } from '../answer-schemas.ts';
import { chunkPieces, ChunkWriter } from '../completion.ts';
import { openAiForm } from '../form.ts';
import { completionPayload, type CompletionRequest } from '../request-schema.ts';

import type { ResponseObject, ServerRoute } from '@hapi/hapi';
import type { ShareWork } from '../../../src/http/idempotency.ts';
import type { Completed, CompletionService } from '../service.ts';

/** Images come within the body. */
const MAX_BODY_BYTES = 20 * 1_048_576;
const BODY_TIMEOUT_MS = 60_000;

const NOTES = `For clients of OpenAI: set their \`baseURL\` to this server’s \`/v1\` and their API key to one of \`POST /api/keys\`
with the permission \`model:call\`. Nothing of the call is stored.

Fields that are not listed are accepted and not used. Those, and parameters that the model does not take, are named in
the header \`X-Ignored-Parameters\`. With \`stream: true\` the answer comes as \`chat.completion.chunk\` events and
\`data: [DONE]\`; a failure after the beginning is \`data: {"error": {…}}\`, and the stream ends without \`[DONE]\`. A comment
line every 15 s keeps the connection open. A call whose client goes away is stopped, and costs what came.

Without an API key of the user's own the call is paid from the tenant's credits. Its output is limited to what they pay;
when they run out in the middle, it ends there with \`finish_reason: "length"\`.

An \`Idempotency-Key\` works without \`stream\`: such a call goes on when its client goes away. With \`stream\` it is not used.`;

export const createCompletion = (
    completions: CompletionService,
    share: ShareWork,
): ServerRoute<{ Payload: CompletionRequest }> => ({
    method: 'POST',
    path: '/v1/chat/completions',
    options: {
        ...describeRoute('Call a model as OpenAI’s Chat Completions', {
            tag: 'openai',
            notes: NOTES,
            form: openAiForm,
            answer: completionAnswer,
            example: completionExample,
            streamExample,
            errors: ['MODEL_NOT_FOUND', 'CONCURRENCY_LIMIT', ...CALL_ERRORS, ...PAYMENT_ERRORS, 'SHUTTING_DOWN'],
            grows: true,
            isExpensive: true,
            idempotent: 'shared',
        }),
        auth: { access: { scope: 'model:call' } },
        validate: { payload: completionPayload },
        payload: { maxBytes: MAX_BODY_BYTES, timeout: BODY_TIMEOUT_MS },
        // The model's own deadlines hold here.
        timeout: { server: false },
    },
    handler: async (request, h) => {
        const { payload, headers, app } = request;
        const { actor } = request.auth.credentials;
        const gone = clientGone(request);
        if (!payload.stream) {
            // A call that may be repeated goes on for the repeat.
            const until = headers['idempotency-key'] === undefined ? gone : new AbortController().signal;
            const { completion, ignored } = await share(request, {
                start: () => completions.complete(actor, payload, until),
                result: (completed) => Promise.resolve(completed),
                restore: (completed) => completed as Completed,
            });
            return withIgnored(h.response(completion), ignored);
        }
        const { head, running, ignored } = await completions.call(actor, payload, gone);
        // A refusal before the first token is a real status; afterwards it is an event.
        await running.started;
        const writer = new ChunkWriter(head, payload.stream_options?.include_usage === true);
        const pieces = chunkPieces(running.batches(), writer, app.requestId);
        const answer = h
            .response(writtenStream(pieces, (piece) => piece))
            .type('text/event-stream')
            .header('cache-control', 'no-cache')
            .header('x-accel-buffering', 'no');
        return withIgnored(answer, ignored);
    },
});

const withIgnored = (answer: ResponseObject, ignored: string[]): ResponseObject =>
    ignored.length > 0 ? answer.header('x-ignored-parameters', ignored.join(', ')) : answer;
