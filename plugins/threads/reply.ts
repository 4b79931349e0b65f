import { EventLog } from './event-log.ts';

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
}

/** The reply of a generation that answers that message. */
export const runningReply = (generation: Generation, rest: Omit<SentData, 'assistantMessage'>): Reply => ({
    started: generation.started,
    whole: async () => ({ ...rest, assistantMessage: await generation.finished }),
    events: () => generation.log.read(),
});

/** The reply once more: its events are those of the generation, with the whole text in one token. */
export const restoredReply = (sent: SentData, timestamp: string): Reply => ({
    started: Promise.resolve(),
    whole: () => Promise.resolve(sent),
    events: () => eventsOf(sent, timestamp).read(),
});

function eventsOf({ userMessage, assistantMessage, details }: SentData, timestamp: string): EventLog {
    const { id: messageId, content, tokens, finishReason, usage } = assistantMessage;
    const log = new EventLog();
    log.append('message_start', { messageId, userMessageId: userMessage.id, ...(details && { details }), timestamp });
    if (content !== '') log.append('token', { messageId, token: content });
    log.append('message_complete', { messageId, totalTokens: tokens, finishReason, usage, timestamp });
    log.append('close', {});
    log.end();
    return log;
}
