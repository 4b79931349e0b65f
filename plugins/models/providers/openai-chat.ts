import { eventData } from './lines.ts';
import { toolsOf } from './messages.ts';
import { ToolCalls, type ToolCallPiece } from './tool-calls.ts';
import { disjointUsage, isText, listOf } from './wire.ts';
import { textOf } from '../estimate.ts';

import type { AnswerReader, ModelList, Wire } from './wire-provider.ts';
import type { CallParameters, ChatMessage, ContentPart, FinishReason, ModelCall, StreamPart } from '../api.ts';

/** A chunk of Chat Completions, as far as it is read here. */
interface Chunk {
    choices?: ({ delta?: Delta | null; finish_reason?: unknown } | null)[] | null;
    usage?: ChunkUsage | null;
    error?: OpenAiError | null;
}

interface Delta {
    content?: unknown;
    refusal?: unknown;
    /** OpenAI keeps its thoughts; others that speak this form send them here. */
    reasoning_content?: unknown;
    tool_calls?: ({ index?: unknown; id?: unknown; function?: ToolCallPiece | null } | null)[] | null;
}

interface ChunkUsage {
    prompt_tokens?: unknown;
    completion_tokens?: unknown;
    prompt_tokens_details?: { cached_tokens?: unknown; cache_write_tokens?: unknown } | null;
    completion_tokens_details?: { reasoning_tokens?: unknown } | null;
}

interface OpenAiError {
    message?: unknown;
    type?: unknown;
    code?: unknown;
}

const FINISH = new Map<unknown, FinishReason>([
    ['length', 'length'],
    ['tool_calls', 'tool_calls'],
    ['content_filter', 'content_filter'],
]);

export const openAiModels: ModelList = {
    path: '/models',
    headers: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
};

export const openAiFailure = ({ message, type, code }: OpenAiError) => ({ message, kinds: [code, type] });

/** Chat Completions (`POST /v1/chat/completions`). */
export const chat: Wire = {
    headers: openAiModels.headers,
    request: (call) => ({ path: '/chat/completions', body: requestBody(call) }),
    split: eventData,
    failureOf: ({ error }: Chunk) => (error ? openAiFailure(error) : null),
    reader: (call) => new Answer(call),
};

const requestBody = ({ model, messages, parameters }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    messages: messages.map(messageOf),
    temperature: parameters.temperature,
    top_p: parameters.topP,
    [model.parameters.maxTokensField ?? 'max_tokens']: parameters.maxTokens,
    stop: parameters.stop,
    seed: parameters.seed,
    presence_penalty: parameters.presencePenalty,
    frequency_penalty: parameters.frequencyPenalty,
    reasoning_effort: parameters.reasoningEffort,
    response_format: responseFormat(parameters),
    ...toolFields(parameters),
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
});

function messageOf({ role, content, toolCalls, toolCallId }: ChatMessage): object {
    if (role === 'tool') return { role, tool_call_id: toolCallId, content: textOf(content) };
    const whole = { role, content: typeof content === 'string' ? content : content.map(partOf) };
    if (!toolCalls?.length) return whole;
    const calls = toolCalls.map(({ id, ...rest }) => ({ id, type: 'function', function: rest }));
    return { role, content: textOf(content) || null, tool_calls: calls };
}

const partOf = (part: ContentPart): object =>
    part.type === 'text' ? part : { type: 'image_url', image_url: { url: part.url } };

function responseFormat({ responseFormat: format }: CallParameters): object | undefined {
    if (format?.type !== 'json_schema') return format;
    const { type, ...schema } = format;
    return { type, json_schema: schema };
}

function toolFields(parameters: CallParameters) {
    const { toolChoice, parallelToolCalls } = parameters;
    return (
        toolsOf(parameters) && {
            tools: parameters.tools?.map((tool) => ({ type: 'function', function: tool })),
            tool_choice:
                typeof toolChoice === 'object' ? { type: 'function', function: { name: toolChoice.name } } : toolChoice,
            parallel_tool_calls: parallelToolCalls,
        }
    );
}

class Answer implements AnswerReader {
    readonly #tools: ToolCalls;

    constructor(call: ModelCall) {
        this.#tools = new ToolCalls(call);
    }

    *read({ choices, usage }: Chunk): Generator<StreamPart> {
        const choice = choices?.[0];
        yield* this.#say(choice?.delta ?? {});
        if (usage) yield { type: 'usage', usage: usageOf(usage) };
        if (choice?.finish_reason) yield* this.#tools.finish(FINISH.get(choice.finish_reason) ?? 'stop');
    }

    *#say({ content, refusal, reasoning_content: thoughts, tool_calls: calls }: Delta): Generator<StreamPart> {
        if (isText(thoughts)) yield { type: 'reasoning', delta: thoughts };
        // A refusal is the model's answer in other words: the user is to read it.
        const text = content || refusal;
        if (isText(text)) yield { type: 'text', delta: text };
        for (const call of listOf(calls)) yield* this.#tools.add(call?.index, { ...call?.function, id: call?.id });
    }
}

const usageOf = (usage: ChunkUsage) =>
    disjointUsage({
        input: usage.prompt_tokens,
        cacheRead: usage.prompt_tokens_details?.cached_tokens,
        cacheWrite: usage.prompt_tokens_details?.cache_write_tokens,
        output: usage.completion_tokens,
        reasoning: usage.completion_tokens_details?.reasoning_tokens,
    });
