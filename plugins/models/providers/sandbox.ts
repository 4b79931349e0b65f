import { setTimeout as sleep } from 'node:timers/promises';

import { estimateUsage } from '../estimate.ts';

import type { ModelCall, ModelProvider } from '../api.ts';

/**
 * The built-in model: the same question gets the same answer, without a key and at no cost. It says what it is and
 * repeats the question; asked to `count to N` it counts, which makes an answer of any length.
 *
 * @param delayMs Paces its tokens
 */
export const sandbox = (delayMs: number): ModelProvider => ({
    async *stream(call, signal) {
        yield { type: 'start' };
        let answer = '';
        const tokens = answerOf(call);
        for (const token of tokens.slice(0, call.model.maxOutput ?? tokens.length)) {
            if (delayMs > 0) await sleep(delayMs, undefined, { signal });
            signal.throwIfAborted();
            answer += token;
            yield { type: 'text', delta: token };
        }
        yield { type: 'usage', usage: { ...estimateUsage(call, answer), isEstimated: false } };
        yield { type: 'finish', reason: tokens.length > (call.model.maxOutput ?? Infinity) ? 'length' : 'stop' };
    },
    status: () => Promise.resolve({ status: 'reachable' }),
});

function answerOf({ messages }: ModelCall): string[] {
    const asked = messages.at(-1)?.content ?? '';
    const count = Number(/\bcount to (\d{1,6})\b/i.exec(asked)?.[1] ?? 0);
    if (count > 0) return Array.from({ length: count }, (_, index) => `${index === 0 ? '' : ' '}${index + 1}`);
    const said = `This is the sandbox model, not an AI. You sent ${messages.length} message(s); the last one says: ${asked}`;
    return said.match(/\S+\s*/g) ?? [];
}
