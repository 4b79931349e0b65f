import { apiError } from '../../src/http/errors.ts';
import { estimateTokens, type ChatMessage, type Model } from '../models/api.ts';

import type { Message } from './api.ts';

/** How many messages a call looks back; what lies further back does not fit the budget of most models anyway. */
export const LOOK_BACK = 200;

const MAX_MESSAGE_TOKENS = 10_000;

/** How many messages that a summary covers go along all the same, so that the conversation goes on where it is. */
const OVERLAP = 4;

/** What stands for the older messages. */
export interface Covering {
    text: string;
    /** How many messages, from the newest on, are not covered. */
    uncovered: number;
}

/** The tokens that a call's input may have: what the answer may need is kept free. */
export const inputBudget = ({ contextLength, maxOutput }: Model): number =>
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

/** What goes before the messages of a call. */
export interface Preamble {
    /** Goes first, whatever else has room. */
    systemPrompt?: string | null;
    /** Goes next, before any message; left out where it has no room. */
    covering?: Covering | null;
}

/**
 * What a call sends: as much of the context as the model has room for, in one piece up to the new message. A question
 * whose answer failed is left out with it: it will most likely be asked again.
 *
 * @param newestFirst The messages before the new one
 * @throws MESSAGE_TOO_LONG when the message has no room beside the system prompt
 */
export function assembleContext(
    model: Model,
    newestFirst: Message[],
    content: string,
    { systemPrompt = null, covering = null }: Preamble = {},
): ChatMessage[] {
    const tokens = estimateTokens(content);
    const limit = inputBudget(model) - estimateTokens(systemPrompt ?? '');
    if (tokens > limit) throw apiError('MESSAGE_TOO_LONG', { details: { tokens, limit: Math.max(0, limit) } });
    const room = limit - tokens;
    const summary = summaryWithin(room, covering);
    const uncovered = covering !== null && summary !== null ? covering.uncovered + OVERLAP : undefined;
    const recent = recentWithin(room - estimateTokens(summary ?? ''), newestFirst.slice(0, uncovered));
    return [...[systemPrompt, summary].flatMap(systemMessage), ...recent, { role: 'user', content }];
}

const systemMessage = (content: string | null): ChatMessage[] =>
    content === null ? [] : [{ role: 'system', content }];

function summaryWithin(room: number, covering: Covering | null): string | null {
    if (covering === null) return null;
    const text = `Summary of the conversation so far: ${covering.text}`;
    return estimateTokens(text) <= room ? text : null;
}

/** Oldest first. */
function recentWithin(most: number, newestFirst: Message[]): ChatMessage[] {
    const recent: ChatMessage[] = [];
    const unanswered = new Set<string | null>();
    let room = most;
    for (const message of newestFirst) {
        if (message.role === 'assistant' && message.content === '') unanswered.add(message.replyTo);
        else if (!unanswered.has(message.id)) {
            room -= message.tokens;
            if (room < 0) break;
            recent.unshift({ role: message.role, content: message.content });
        }
    }
    return recent;
}
