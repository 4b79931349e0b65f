import { setTimeout as sleep } from 'node:timers/promises';

import { estimateUsage, textOf } from '../estimate.ts';

import type { FinishReason, ModelCall, ModelProvider } from '../api.ts';

/**
 * The built-in model: the same question gets the same answer, without a key and at no cost. It says what it is and
 * repeats the question; asked to `count to N` it counts, which makes an answer of any length.
 *
 * @param delayMs Paces its tokens
 */
export const sandbox = (delayMs: number): ModelProvider => ({
    async *stream(call, signal) {
        yield [{ type: 'start' }];
        let answer = '';
        const most = call.parameters.maxTokens ?? call.model.maxOutput;
        let tokens = 0;
        let reason: FinishReason = 'stop';
        for (const token of answerOf(call)) {
            if (tokens++ === most) {
                reason = 'length';
                break;
            }
            if (delayMs > 0) await sleep(delayMs, undefined, { signal });
            signal.throwIfAborted();
            answer += token;
            yield [{ type: 'text', delta: token }];
        }
        yield [
            { type: 'usage', usage: { ...estimateUsage(call, answer), isEstimated: false } },
            { type: 'finish', reason },
        ];
    },
    status: () => Promise.resolve({ status: 'reachable' }),
});

function* answerOf({ messages }: ModelCall): Generator<string> {
    const asked = textOf(messages.at(-1)?.content ?? '');
    const count = Number(/\bcount to (\d{1,6})\b/i.exec(asked)?.[1] ?? 0);
    if (count > 0) {
        yield '1';
        for (let number = 2; number <= count; number++) yield ` ${number}`;
        return;
    }
    const said = `This is the sandbox model, not an AI. You sent ${messages.length} message(s); the last one says: ${asked}`;
    for (const [word] of said.matchAll(/\S+\s*/g)) yield word;
}
