import { EventLog } from './event-log.ts';
import { apiError, type ErrorCode } from '../../src/http/errors.ts';

import type { Message } from './api.ts';
import type { Generation } from './generation.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';

/** What a message and its answer come to. */
export interface SentData {
    userMessage: Message;
    assistantMessage: Message;
    /** What the client asked for and the model does not take. */
    details?: { ignoredParameters: string[] };
}

/** The answer to a message, on its way or at its end. */
export interface Reply {
    /** Resolved when there is something to send; rejected when the model refused before that. */
    started: Promise<void>;
    whole: () => Promise<SentData>;
    /** Everything from the start, then what comes. */
    events: () => AsyncIterable<ServerSentEvent[]>;
    /** A client waits for it, until it is gone. */
    join: (gone: AbortSignal) => void;
}

/** The reply of a generation of this process. */
export const runningReply = (generation: Generation, rest: Omit<SentData, 'assistantMessage'>): Reply => ({
    started: generation.started,
    whole: async () => ({ ...rest, assistantMessage: await generation.finished }),
    events: () => generation.read(),
    join: (gone) => generation.join(gone),
});

/**
 * The reply of a generation of another process.
 *
 * @param follow Gives its events, as often as it is called
 * @param ended Gives what it came to, once it has ended
 */
export function followedReply(follow: () => AsyncGenerator<ServerSentEvent[]>, ended: () => Promise<SentData>): Reply {
    const started = firstOf(follow()).then((first) => {
        if (first?.event === 'error') throw errorOf(first);
    });
    started.catch(() => undefined);
    return {
        started,
        whole: async () => {
            for await (const batch of follow()) {
                const failed = batch.find(({ event }) => event === 'error');
                if (failed) throw errorOf(failed);
            }
            return ended();
        },
        events: follow,
        join: () => undefined,
    };
}

/** The reply once more: its events are those of the generation, with the whole text in one token. */
export const restoredReply = (sent: SentData, timestamp: string): Reply => ({
    started: Promise.resolve(),
    whole: () => Promise.resolve(sent),
    events: () => restoredEvents(sent, timestamp),
    join: () => undefined,
});

/** The events of an answer that has ended, from what is stored of it. */
export function restoredEvents(
    { assistantMessage, details }: Pick<SentData, 'assistantMessage' | 'details'>,
    timestamp: string,
): AsyncGenerator<ServerSentEvent[]> {
    const { id: messageId, replyTo, content, tokens, status, finishReason, usage, answeredBy } = assistantMessage;
    const log = new EventLog(messageId);
    const instead = answeredBy !== null && { answeredBy };
    log.append(['message_start', { userMessageId: replyTo, ...instead, ...(details && { details }), timestamp }]);
    if (content !== '') log.append(content);
    log.append(['message_complete', { status, totalTokens: tokens, finishReason, usage, timestamp }], ['close', {}]);
    log.end();
    return log.read();
}

async function firstOf(events: AsyncGenerator<ServerSentEvent[]>): Promise<ServerSentEvent | undefined> {
    const { value } = await events.next();
    await events.return(undefined);
    return value?.[0];
}

/** The error that an `error` event carries. */
function errorOf({ data }: ServerSentEvent) {
    const { code, details } = (data as { error: { code: ErrorCode; details?: Record<string, unknown> } }).error;
    return apiError(code, details && { details });
}
