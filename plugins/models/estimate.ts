import type { ChatMessage, ModelCall, Usage } from './call.ts';

export const BYTES_PER_TOKEN = 4;
/** What a message costs besides its text: the marks of its role and its end. */
const TOKENS_PER_MESSAGE = 4;

/** About how many tokens a text has, for any model: one for four bytes of UTF-8. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text, 'utf8') / BYTES_PER_TOKEN);

/** About what an image costs; providers differ, and say it afterwards. */
const TOKENS_PER_IMAGE = 1_000;

/** The text of a message. */
export const textOf = (content: ChatMessage['content']): string =>
    typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join('');

function messageTokens({ content, toolCalls = [] }: ChatMessage): number {
    const images = typeof content === 'string' ? 0 : content.filter(({ type }) => type === 'image').length;
    const called = toolCalls.reduce((sum, call) => sum + estimateTokens(call.name + call.arguments), 0);
    return TOKENS_PER_MESSAGE + estimateTokens(textOf(content)) + called + images * TOKENS_PER_IMAGE;
}

/** The usage of a call whose provider told none; never zero for text that was produced. */
export function estimateUsage({ messages, parameters }: ModelCall, answer: string, thoughts = ''): Usage {
    const reasoning = estimateTokens(thoughts);
    const tools = parameters.tools ? estimateTokens(JSON.stringify(parameters.tools)) : 0;
    const input = messages.reduce((sum, message) => sum + messageTokens(message), tools);
    return {
        inputFresh: input,
        cacheRead: 0,
        cacheWrite: 0,
        output: estimateTokens(answer) + reasoning,
        reasoning,
        isEstimated: true,
    };
}

/** Whether a provider's usage can be true of an answer: some servers send zeros, which nobody could be charged. */
export const isCredible = ({ inputFresh, cacheRead, cacheWrite, output }: Usage, answer: string): boolean =>
    inputFresh + cacheRead + cacheWrite > 0 && (output > 0 || answer === '');
