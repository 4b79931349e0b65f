import { anthropicRequest } from './anthropic-request.ts';
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
import { countOf, isCount, isText } from './wire.ts';

import type { FinishReason, ModelCall, ModelProvider, StreamPart, Usage } from '../api.ts';

/** An event of the stream, as far as it is read here. */
interface Event {
    type?: unknown;
    index?: unknown;
    message?: { usage?: Counts | null } | null;
    content_block?: { type?: unknown; id?: unknown; name?: unknown; input?: unknown } | null;
    delta?: Delta | null;
    usage?: Counts | null;
    error?: { type?: unknown; message?: unknown } | null;
    request_id?: unknown;
}

interface Delta {
    type?: unknown;
    text?: unknown;
    thinking?: unknown;
    partial_json?: unknown;
    stop_reason?: unknown;
}

interface Counts {
    input_tokens?: unknown;
    cache_creation_input_tokens?: unknown;
    cache_read_input_tokens?: unknown;
    output_tokens?: unknown;
    output_tokens_details?: { thinking_tokens?: unknown } | null;
}

const FINISH = new Map<unknown, FinishReason>([
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
]);

export const anthropicModels: ModelList = {
    path: '/v1/models?limit=1',
    headers: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' }),
};

const wire: Wire = {
    headers: anthropicModels.headers,
    request: (call) => ({ path: '/v1/messages', body: anthropicRequest(call) }),
    split: eventData,
    failureOf: ({ type, error, request_id: requestId }: Event) =>
        type === 'error' || error
            ? { message: error?.message, kinds: [error?.type], ...(isText(requestId) && { requestId }) }
            : null,
    reader: (call) => new Answer(call),
};

/** Anthropic's Messages (`POST /v1/messages`). */
export const anthropic = (options: ProviderOptions): ModelProvider => ({
    stream: streamOver(options, () => wire),
    status: statusOver(options, anthropicModels),
});

class Answer implements AnswerReader {
    readonly #tools: ToolCalls;
    #counts: Counts = {};

    constructor(call: ModelCall) {
        this.#tools = new ToolCalls(call);
    }

    *read({ type, index, message, content_block: block, delta, usage }: Event): Generator<StreamPart> {
        if (type === 'message_start') this.#count(message?.usage);
        else if (type === 'content_block_start' && block?.type === 'tool_use') yield* this.#tools.add(index, block);
        else if (type === 'content_block_delta') yield* this.#grow(index, delta);
        else if (type === 'message_delta') yield* this.#end(delta, usage);
    }

    *#grow(index: unknown, delta: Delta | null | undefined): Generator<StreamPart> {
        const { type, text, thinking, partial_json: json } = delta ?? {};
        if (type === 'text_delta' && isText(text)) yield { type: 'text', delta: text };
        else if (type === 'thinking_delta' && isText(thinking)) yield { type: 'reasoning', delta: thinking };
        else if (type === 'input_json_delta') yield* this.#tools.add(index, { arguments: json });
    }

    *#end(delta: Delta | null | undefined, usage: Counts | null | undefined): Generator<StreamPart> {
        this.#count(usage);
        // The output that the start tells of is that of its first token, which says nothing of the whole.
        if (isCount(usage?.output_tokens)) yield { type: 'usage', usage: usageOf(this.#counts) };
        if (isText(delta?.stop_reason)) yield* this.#tools.finish(FINISH.get(delta.stop_reason) ?? 'stop');
    }

    /** Counts are cumulative: what was told before is replaced, where it is told again. */
    #count(told: Counts | null | undefined): void {
        const given = Object.entries(told ?? {}).filter(([, count]) => count !== null);
        this.#counts = { ...this.#counts, ...Object.fromEntries(given) };
    }
}

/** Anthropic counts the cached tokens apart from the others. */
const usageOf = (counts: Counts): Usage => ({
    inputFresh: countOf(counts.input_tokens),
    cacheRead: countOf(counts.cache_read_input_tokens),
    cacheWrite: countOf(counts.cache_creation_input_tokens),
    output: countOf(counts.output_tokens),
    reasoning: countOf(counts.output_tokens_details?.thinking_tokens),
    isEstimated: false,
});
