import { clientGone } from '../../src/http/client-gone.ts';
import { eventStream, type ServerSentEvent } from '../../src/http/sse.ts';
import { newId } from '../../src/ids.ts';
import { PAYMENT_ERRORS } from '../billing/api.ts';
import { CALL_ERRORS } from '../models/api.ts';

import type { Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { AnswerService } from './answer-service.ts';
import type { MessageIds, MessageService } from './message-service.ts';
import type { Reply, SentData } from './reply.ts';
import type { ErrorCode } from '../../src/http/errors.ts';
import type { RepeatableRequest } from '../../src/http/idempotency-key.ts';
import type { ShareWork } from '../../src/http/idempotency.ts';

export interface AnswerParts {
    messages: MessageService;
    answers: AnswerService;
    share: ShareWork;
}

/** What a request fails with that asks for an answer. */
export const ANSWER_ERRORS: ErrorCode[] = [
    'THREAD_NOT_FOUND',
    'MODEL_NOT_FOUND',
    'CONCURRENCY_LIMIT',
    ...CALL_ERRORS,
    ...PAYMENT_ERRORS,
    'ANSWER_INTERRUPTED',
    'SHUTTING_DOWN',
];

type AnswerRequest = RepeatableRequest &
    Pick<Request, 'active' | 'raw'> & { params: { threadId: string; modelId: string } };

interface Asked {
    isStream: boolean;
    /** Begins the answer with those ids; it is not wanted any more when its client goes away while it waits. */
    start: (ids: MessageIds, isWanted: () => boolean) => Promise<Reply>;
}

/** Begins an answer, or takes part in the one that the same request has begun before, and gives it whole or as events. */
export async function giveAnswer(
    { messages, answers, share }: AnswerParts,
    request: AnswerRequest,
    h: Pick<ResponseToolkit, 'response'>,
    { isStream, start }: Asked,
): Promise<SentData | ResponseObject> {
    const { threadId, modelId } = request.params;
    // In this order: an answer is not older than its question.
    const ids = { questionId: newId('msg'), answerId: newId('msg') };
    // Who sent an Idempotency-Key may come back for the answer.
    const isWanted = () => request.active() || request.headers['idempotency-key'] !== undefined;
    const reply = await share(request, {
        start: () => start(ids, isWanted),
        elsewhere: {
            id: ids.answerId,
            attach: (messageId) => answers.attach(request.auth.credentials.actor, threadId, modelId, messageId),
        },
        result: (running) => running.whole(),
        restore: (sent) => messages.restore(sent as SentData),
    });
    reply.join(clientGone(request));
    if (!isStream) return reply.whole();
    // A refusal before the first token is a real status; afterwards it is an event.
    await reply.started;
    return eventAnswer(h, reply.events());
}

/** Server-sent events that nothing on their way may hold back. */
export const eventAnswer = (
    h: Pick<ResponseToolkit, 'response'>,
    events: AsyncIterable<ServerSentEvent[]>,
): ResponseObject =>
    h
        .response(eventStream(events))
        .type('text/event-stream')
        .header('cache-control', 'no-cache')
        .header('x-accel-buffering', 'no');
