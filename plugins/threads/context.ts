import { apiError } from '../../src/http/errors.ts';
import { estimateTokens, type ChatMessage, type Model } from '../models/api.ts';

import type { Message } from './api.ts';

/** How many messages a call looks back; what lies further back does not fit the budget of most models anyway. */
export const LOOK_BACK = 200;

const MAX_MESSAGE_TOKENS = 10_000;

/** The tokens that a call's input may have: what the answer may need is kept free. */
const inputBudget = ({ contextLength, maxOutput }: Model): number =>
    contextLength - Math.min(maxOutput ?? Infinity, Math.floor(contextLength / 4));

/** The most tokens that one message to this model may have. */
export const messageLimit = (model: Model): number => Math.min(MAX_MESSAGE_TOKENS, inputBudget(model));

/** @throws MESSAGE_TOO_LONG */
export function checkLength(model: Model, content: string): number {
    const tokens = estimateTokens(content);
    const limit = messageLimit(model);
    if (tokens > limit) throw apiError('MESSAGE_TOO_LONG', { details: { tokens, limit } });
    return tokens;
}

/**
 * What a call sends: as much of the context as the model has room for, in one piece up to the new message. A question
 * whose answer failed is left out with it: it will most likely be asked again.
 *
 * @param newestFirst The messages before the new one
 * @param systemPrompt Goes first, whatever else has room
 * @throws MESSAGE_TOO_LONG when the message has no room beside it
 */
export function assembleContext(
    model: Model,
    newestFirst: Message[],
    content: string,
    systemPrompt: string | null = null,
): ChatMessage[] {
    const context: ChatMessage[] = [{ role: 'user', content }];
    const unanswered = new Set<string | null>();
    const tokens = estimateTokens(content);
    const limit = inputBudget(model) - estimateTokens(systemPrompt ?? '');
    if (tokens > limit) throw apiError('MESSAGE_TOO_LONG', { details: { tokens, limit: Math.max(0, limit) } });
    let room = limit - tokens;
    for (const message of newestFirst) {
        if (message.role === 'assistant' && message.content === '') unanswered.add(message.replyTo);
        else if (!unanswered.has(message.id)) {
            room -= message.tokens;
            if (room < 0) break;
            context.unshift({ role: message.role, content: message.content });
        }
    }
    if (systemPrompt !== null) context.unshift({ role: 'system', content: systemPrompt });
    return context;
}
