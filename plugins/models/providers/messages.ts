import { parseObject } from './wire.ts';
import { textOf } from '../estimate.ts';

import type { CallParameters, ChatMessage, ContentPart, ToolCall } from '../api.ts';

/** Consecutive messages of one side, where a provider wants the sides to take turns. */
export interface Turn<Part> {
    role: 'user' | 'assistant';
    parts: Part[];
}

/** The conversation without the system's words, side by side; messages without anything in them are left out. */
export function turnsOf<Part>(messages: ChatMessage[], partsOf: (message: ChatMessage) => Part[]): Turn<Part>[] {
    const turns: Turn<Part>[] = [];
    for (const message of messages) {
        const parts = message.role === 'system' ? [] : partsOf(message);
        if (parts.length === 0) continue;
        const role = message.role === 'assistant' ? 'assistant' : 'user';
        const last = turns.at(-1);
        if (last?.role === role) last.parts.push(...parts);
        else turns.push({ role, parts });
    }
    return turns;
}

/** All that the system says, wherever it says it. */
export function systemText(messages: ChatMessage[]): string | undefined {
    const said = messages.filter(({ role }) => role === 'system').map(({ content }) => textOf(content));
    return said.filter((text) => text !== '').join('\n\n') || undefined;
}

/** The parts of a message; a text without a character is refused by some providers, and left out. */
export const contentParts = (content: ChatMessage['content']): ContentPart[] =>
    (typeof content === 'string' ? [{ type: 'text', text: content } as const] : content).filter(
        (part) => part.type !== 'text' || part.text !== '',
    );

/** An image that came in a `data:` URL; null for one that is somewhere else. */
export function inlineImage(url: string): { mediaType: string; data: string } | null {
    const found = /^data:([^;,]{1,100})(?:;[^;,]{1,100})*;base64,/i.exec(url);
    return found?.[1] ? { mediaType: found[1], data: url.slice(found[0].length) } : null;
}

/** The arguments of a tool call for providers that want an object; none where the model wrote something else. */
export function argumentsOf({ arguments: text }: ToolCall): object {
    try {
        const value = parseObject(text);
        return Array.isArray(value) ? {} : value;
    } catch {
        return {};
    }
}

/** The tools of a call, where there are any: no provider takes an empty list, or a choice among none. */
export const toolsOf = ({ tools = [] }: CallParameters): NonNullable<CallParameters['tools']> | null =>
    tools.length > 0 ? tools : null;
