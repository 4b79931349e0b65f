import { googleRequest } from './google-request.ts';
import { eventData } from './lines.ts';
import { ToolCalls } from './tool-calls.ts';
import {
    statusOver,
    streamOver,
    type AnswerReader,
    type ModelList,
    type ProviderOptions,
    type Wire,
} from './wire-provider.ts';
import { countOf, disjointUsage, isCount, isText, listOf } from './wire.ts';

import type { FinishReason, ModelCall, ModelProvider, StreamPart } from '../api.ts';

/** A GenerateContentResponse, as far as it is read here. */
interface Chunk {
    candidates?: ({ content?: { parts?: (Part | null)[] | null } | null; finishReason?: unknown } | null)[] | null;
    promptFeedback?: { blockReason?: unknown } | null;
    usageMetadata?: Counts | null;
    error?: { message?: unknown; status?: unknown; details?: ({ reason?: unknown } | null)[] | null } | null;
}

interface Part {
    text?: unknown;
    /** The text is a thought. */
    thought?: unknown;
    functionCall?: { name?: unknown; args?: unknown } | null;
}

interface Counts {
    promptTokenCount?: unknown;
    cachedContentTokenCount?: unknown;
    candidatesTokenCount?: unknown;
    thoughtsTokenCount?: unknown;
}

const FINISH = new Map<unknown, FinishReason>([
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['UNEXPECTED_TOOL_CALL', 'error'],
    ['TOO_MANY_TOOL_CALLS', 'error'],
]);

export const googleModels: ModelList = {
    path: '/v1beta/models?pageSize=1',
    headers: (apiKey) => ({ 'x-goog-api-key': apiKey }),
};

const wire: Wire = {
    headers: googleModels.headers,
    request: (call) => ({
        path: `/v1beta/models/${call.model.upstreamId ?? call.model.id}:streamGenerateContent?alt=sse`,
        body: googleRequest(call),
    }),
    split: eventData,
    failureOf: ({ error }: Chunk) =>
        error
            ? { message: error.message, kinds: [...listOf(error.details).map((each) => each?.reason), error.status] }
            : null,
    reader: (call) => new Answer(call),
};

/** Google's Gemini API (`POST /v1beta/models/{model}:streamGenerateContent`). */
export const google = (options: ProviderOptions): ModelProvider => ({
    stream: streamOver(options, () => wire),
    status: statusOver(options, googleModels),
});

class Answer implements AnswerReader {
    readonly #tools: ToolCalls;
    #counts: Counts = {};

    constructor(call: ModelCall) {
        this.#tools = new ToolCalls(call);
    }

    *read({ candidates, promptFeedback, usageMetadata }: Chunk): Generator<StreamPart> {
        const candidate = candidates?.[0];
        for (const part of listOf(candidate?.content?.parts)) yield* this.#say(part ?? {});
        if (usageMetadata) yield this.#usage(usageMetadata);
        if (isText(candidate?.finishReason)) {
            yield* this.#tools.finish(FINISH.get(candidate.finishReason) ?? 'stop');
        } else if (isText(promptFeedback?.blockReason)) {
            yield { type: 'finish', reason: 'content_filter' };
        }
    }

    /** A function call comes whole. */
    *#say({ text, thought, functionCall }: Part): Generator<StreamPart> {
        if (isText(text)) yield { type: thought === true ? 'reasoning' : 'text', delta: text };
        if (!functionCall) return;
        const { name, args } = functionCall;
        yield* this.#tools.add(this.#tools.count, { name, arguments: JSON.stringify(args ?? {}) });
    }

    /** Counts are of the whole answer so far; one that a chunk leaves out stays as it was. */
    #usage(told: Counts): StreamPart {
        const given = Object.entries(told).filter(([, count]) => isCount(count));
        this.#counts = { ...this.#counts, ...Object.fromEntries(given) };
        const reasoning = countOf(this.#counts.thoughtsTokenCount);
        const usage = disjointUsage({
            input: this.#counts.promptTokenCount,
            cacheRead: this.#counts.cachedContentTokenCount,
            output: countOf(this.#counts.candidatesTokenCount) + reasoning,
            reasoning,
        });
        return { type: 'usage', usage };
    }
}
