import { lines } from './lines.ts';
import { argumentsOf, inlineImage, toolsOf } from './messages.ts';
import { ToolCalls, type ToolCallPiece } from './tool-calls.ts';
import { readText } from './transport.ts';
import { streamOver, type AnswerReader, type ProviderOptions, type Wire } from './wire-provider.ts';
import { countOf, isCount, isText, listOf, parseObject } from './wire.ts';
import { estimateUsage, textOf } from '../estimate.ts';

import type { CallParameters, ChatMessage, ContentPart, ModelCall, ModelProvider, StreamPart, Usage } from '../api.ts';

/** A line of `/api/chat`, as far as it is read here. */
interface Line {
    message?: { content?: unknown; thinking?: unknown; tool_calls?: (LineToolCall | null)[] | null } | null;
    done?: unknown;
    done_reason?: unknown;
    prompt_eval_count?: unknown;
    eval_count?: unknown;
    error?: unknown;
}

interface LineToolCall {
    id?: unknown;
    function?: ToolCallPiece | null;
}

const MAX_LIST = 1_048_576;

interface RunningModels {
    models?: { name: string; size: number }[] | null;
}

const wire: Wire = {
    headers: () => ({}),
    request: (call) => ({ path: '/api/chat', body: requestBody(call) }),
    split: lines,
    failureOf: ({ error }: Line) => (error === undefined ? null : { message: error }),
    reader: (call) => new Answer(call),
};

/** Ollama's own API: `POST /api/chat` streams NDJSON, and an error may be one of the lines of a 200. */
export const ollama = (options: ProviderOptions): ModelProvider => ({
    stream: streamOver(options, () => wire),

    async status(signal) {
        const { status, body } = await options.send({ path: '/api/ps', method: 'GET', signal });
        const { models } = parseObject(await readText(body, MAX_LIST)) as RunningModels;
        if (status !== 200) return { status: 'unreachable' };
        const loaded = (models ?? []).map(({ name, size }) => ({ model: name, memoryBytes: size }));
        return { status: loaded.length > 0 ? 'loaded' : 'reachable', models: loaded };
    },
});

const requestBody = ({ model, messages, parameters }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    messages: messages.map(messageWith(messages)),
    tools: toolsOf(parameters)?.map(({ strict: _flag, ...tool }) => ({ type: 'function', function: tool })),
    format: formatOf(parameters),
    stream: true,
    options: {
        // Without it Ollama cuts the context to a few thousand tokens and does not say so.
        num_ctx: model.contextLength,
        num_predict: parameters.maxTokens,
        temperature: parameters.temperature,
        top_p: parameters.topP,
        stop: parameters.stop,
        seed: parameters.seed,
        presence_penalty: parameters.presencePenalty,
        frequency_penalty: parameters.frequencyPenalty,
    },
});

const formatOf = ({ responseFormat }: CallParameters): object | 'json' | undefined =>
    responseFormat && (responseFormat.type === 'json_schema' ? responseFormat.schema : 'json');

/** A result goes by the name of its tool, which only the call before it tells. */
function messageWith(messages: ChatMessage[]): (message: ChatMessage) => object {
    const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls);
    const names = new Map(calls.map(({ id, name }) => [id, name]));
    return ({ role, content, toolCalls, toolCallId = '' }) => ({
        role,
        content: textOf(content),
        images: imagesOf(content),
        tool_calls: toolCalls?.map((call) => ({ function: { name: call.name, arguments: argumentsOf(call) } })),
        tool_name: role === 'tool' ? names.get(toolCallId) : undefined,
    });
}

/** Images come with the message; Ollama fetches none. */
function imagesOf(content: string | ContentPart[]): string[] | undefined {
    if (typeof content === 'string') return undefined;
    return content.flatMap((part) => (part.type === 'image' && inlineImage(part.url)?.data) || []);
}

class Answer implements AnswerReader {
    readonly #call: ModelCall;
    readonly #tools: ToolCalls;

    constructor(call: ModelCall) {
        this.#call = call;
        this.#tools = new ToolCalls(call);
    }

    *read(line: Line): Generator<StreamPart> {
        const { thinking, content, tool_calls: calls } = line.message ?? {};
        if (isText(thinking)) yield { type: 'reasoning', delta: thinking };
        if (isText(content)) yield { type: 'text', delta: content };
        // Each comes whole, its arguments as an object.
        for (const call of listOf(calls)) {
            const { name, arguments: args } = call?.function ?? {};
            yield* this.#tools.add(this.#tools.count, { id: call?.id, name, arguments: JSON.stringify(args ?? {}) });
        }
        if (line.done !== true) return;
        if (isCount(line.eval_count)) yield { type: 'usage', usage: usage(line, this.#call) };
        yield* this.#tools.finish(line.done_reason === 'length' ? 'length' : 'stop');
    }
}

/** A prompt that is still in the cache of the model may come without a count. */
function usage({ prompt_eval_count: input, eval_count: output }: Line, call: ModelCall): Usage {
    return {
        ...estimateUsage(call, ''),
        ...(isCount(input) && { inputFresh: input, isEstimated: false }),
        output: countOf(output),
    };
}
