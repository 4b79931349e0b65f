import { eventData } from './lines.ts';
import { contentParts } from './messages.ts';
import { openAiFailure, openAiModels } from './openai-chat.ts';
import { ToolCalls } from './tool-calls.ts';
import { disjointUsage, isText } from './wire.ts';
import { textOf } from '../estimate.ts';

import type { Failure } from './failure.ts';
import type { AnswerReader, Wire } from './wire-provider.ts';
import type { CallParameters, ChatMessage, ContentPart, FinishReason, ModelCall, StreamPart } from '../api.ts';

/** An event of the stream, as far as it is read here. */
interface Event {
    type?: unknown;
    delta?: unknown;
    output_index?: unknown;
    item?: { type?: unknown; call_id?: unknown; name?: unknown } | null;
    response?: WholeResponse | null;
    error?: object | null;
}

interface WholeResponse {
    error?: object | null;
    incomplete_details?: { reason?: unknown } | null;
    usage?: ResponseUsage | null;
}

interface ResponseUsage {
    input_tokens?: unknown;
    output_tokens?: unknown;
    input_tokens_details?: { cached_tokens?: unknown; cache_write_tokens?: unknown } | null;
    output_tokens_details?: { reasoning_tokens?: unknown } | null;
}

/** What the deltas are of. A refusal is the model's answer in other words. */
const SAID = new Map<unknown, 'text' | 'reasoning'>([
    ['response.output_text.delta', 'text'],
    ['response.refusal.delta', 'text'],
    ['response.reasoning_summary_text.delta', 'reasoning'],
    ['response.reasoning_text.delta', 'reasoning'],
]);

/** OpenAI's Responses (`POST /v1/responses`), where its newest models take tools. */
export const responses: Wire = {
    headers: openAiModels.headers,
    request: (call) => ({ path: '/responses', body: requestBody(call) }),
    split: eventData,
    failureOf,
    reader: (call) => new Answer(call),
};

/** A refused request has its error at the top, as an `error` event has; a failed response has it inside. */
function failureOf(event: Event): Failure | null {
    if (event.type === 'response.failed') return openAiFailure(event.response?.error ?? {});
    if (event.error) return openAiFailure(event.error);
    return event.type === 'error' ? openAiFailure(event) : null;
}

const requestBody = ({ model, messages, parameters }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    input: messages.flatMap(itemsOf),
    temperature: parameters.temperature,
    top_p: parameters.topP,
    max_output_tokens: parameters.maxTokens,
    reasoning: parameters.reasoningEffort && { effort: parameters.reasoningEffort },
    text: parameters.responseFormat && { format: parameters.responseFormat },
    ...toolFields(parameters),
    // The conversation is ours to keep.
    store: false,
    stream: true,
    stream_options: { include_obfuscation: false },
});

function itemsOf({ role, content, toolCalls = [], toolCallId }: ChatMessage): object[] {
    if (role === 'tool') return [{ type: 'function_call_output', call_id: toolCallId, output: textOf(content) }];
    const parts = role === 'user' ? contentParts(content).map(partOf) : textOf(content);
    const calls = toolCalls.map(({ id, ...call }) => ({ type: 'function_call', call_id: id, ...call }));
    return [...(parts.length > 0 ? [{ role, content: parts }] : []), ...calls];
}

const partOf = (part: ContentPart): object =>
    part.type === 'text'
        ? { type: 'input_text', text: part.text }
        : { type: 'input_image', image_url: part.url, detail: 'auto' };

/** Here tools are strict unless they say otherwise; elsewhere they are not. */
const toolFields = ({ tools, toolChoice, parallelToolCalls }: CallParameters) => ({
    tools: tools?.map(({ strict = false, parameters = null, ...tool }) => ({
        type: 'function',
        ...tool,
        parameters,
        strict,
    })),
    tool_choice: typeof toolChoice === 'object' ? { type: 'function', name: toolChoice.name } : toolChoice,
    parallel_tool_calls: parallelToolCalls,
});

class Answer implements AnswerReader {
    readonly #tools: ToolCalls;

    constructor(call: ModelCall) {
        this.#tools = new ToolCalls(call);
    }

    *read({ type, delta, item, output_index: index, response }: Event): Generator<StreamPart> {
        const said = SAID.get(type);
        if (said && isText(delta)) yield { type: said, delta };
        else if (type === 'response.output_item.added' && item?.type === 'function_call') {
            yield* this.#tools.add(index, { id: item.call_id, name: item.name });
        } else if (type === 'response.function_call_arguments.delta') {
            yield* this.#tools.add(index, { arguments: delta });
        } else if (type === 'response.completed' || type === 'response.incomplete') {
            yield* this.#end(response ?? {}, type === 'response.incomplete');
        }
    }

    *#end({ usage, incomplete_details: details }: WholeResponse, isCut: boolean): Generator<StreamPart> {
        if (usage) yield { type: 'usage', usage: usageOf(usage) };
        const cut: FinishReason = details?.reason === 'content_filter' ? 'content_filter' : 'length';
        yield* this.#tools.finish(isCut ? cut : 'stop');
    }
}

const usageOf = (usage: ResponseUsage) =>
    disjointUsage({
        input: usage.input_tokens,
        cacheRead: usage.input_tokens_details?.cached_tokens,
        cacheWrite: usage.input_tokens_details?.cache_write_tokens,
        output: usage.output_tokens,
        reasoning: usage.output_tokens_details?.reasoning_tokens,
    });
