import type { ModelCall, Usage } from './api.ts';

const BYTES_PER_TOKEN = 4;
/** What a message costs besides its text: the marks of its role and its end. */
const TOKENS_PER_MESSAGE = 4;

/** About how many tokens a text has, for any model: one for four bytes of UTF-8. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text, 'utf8') / BYTES_PER_TOKEN);

/** The usage of a call whose provider told none; never zero for text that was produced. */
export function estimateUsage({ messages }: ModelCall, answer: string, thoughts = ''): Usage {
    const reasoning = estimateTokens(thoughts);
    const input = messages.reduce((sum, { content }) => sum + estimateTokens(content) + TOKENS_PER_MESSAGE, 0);
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
