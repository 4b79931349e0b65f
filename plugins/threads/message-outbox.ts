import { audited, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { AnswerInfo } from './answer-codec.ts';
import type { EndedMessage, EndStatus, Message } from './api.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { KeyName } from '../models/api.ts';

/** What others are told of a message that was sent, or is to be answered anew. */
export function questionOutbox(actor: Actor, message: Message, isNew: boolean, ownKeys: KeyName[]): Outbox {
    const { id, threadId, modelId } = message;
    const action = isNew ? 'message.send' : 'message.regenerate';
    const details = { threadId, modelId, ...(ownKeys.length > 0 && { providerKeys: ownKeys }) };
    return {
        events: isNew ? [eventOf('created', actor.userId, message)] : [],
        audit: [audited(actor, { action, resource: 'message', resourceId: id, result: 'success', details })],
    };
}

/** What others are told of an answer that has ended. */
export const answerOutbox = ({ context, requestId }: AnswerInfo, message: EndedMessage): Outbox => ({
    events: [{ ...eventOf(message.status, context.ownerId, message), requestId }],
});

const eventOf = (what: 'created' | EndStatus, userId: string, { id, threadId, modelId }: Message): EventEntry => ({
    type: `message.${what}`,
    data: { userId, threadId, modelId, messageId: id },
});
