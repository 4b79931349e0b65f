import { toOpenAiError } from './form.ts';
import { errorBody, isApiError } from '../../src/http/errors.ts';

import type { FinishReason, StreamPart, ToolCall, Usage } from '../models/api.ts';

/** What all pieces of an answer have in common. */
export interface Head {
    id: string;
    /** Epoch seconds. */
    created: number;
    /** As it was asked for. */
    model: string;
}

/** What a model has said so far. */
export class Answer {
    text = '';
    thoughts = '';
    readonly #toolCalls = new Map<number, ToolCall>();
    usage: Usage | null = null;
    finish: FinishReason | null = null;

    hear(part: StreamPart): void {
        if (part.type === 'text') this.text += part.delta;
        else if (part.type === 'reasoning') this.thoughts += part.delta;
        else if (part.type === 'tool-call') this.#hearToolCall(part);
        else if (part.type === 'usage') this.usage = part.usage;
        else if (part.type === 'finish') this.finish = part.reason;
    }

    get toolCalls(): ToolCall[] {
        return [...this.#toolCalls.values()];
    }

    /** All that was produced besides thoughts: what tools are asked is a part of it. */
    get produced(): string {
        return this.text + this.toolCalls.map(({ name, arguments: args }) => name + args).join('');
    }

    #hearToolCall({ index, id, name, argumentsDelta }: Extract<StreamPart, { type: 'tool-call' }>): void {
        const call = this.#toolCalls.get(index) ?? { id: '', name: '', arguments: '' };
        this.#toolCalls.set(index, call);
        call.id ||= id ?? '';
        call.name ||= name ?? '';
        call.arguments += argumentsDelta;
    }
}

/** An answer as a `chat.completion`. */
export function toCompletion({ id, created, model }: Head, answer: Answer): object {
    const calls = answer.toolCalls.map(({ id: callId, name, arguments: args }) => ({
        id: callId,
        type: 'function',
        function: { name, arguments: args.toWellFormed() },
    }));
    const message = {
        role: 'assistant',
        // A model may break off in the middle of a character.
        content: answer.text === '' && calls.length > 0 ? null : answer.text.toWellFormed(),
        refusal: null,
        ...(answer.thoughts !== '' && { reasoning_content: answer.thoughts.toWellFormed() }),
        ...(calls.length > 0 && { tool_calls: calls }),
    };
    return {
        id,
        object: 'chat.completion',
        created,
        model,
        choices: [{ index: 0, message, logprobs: null, finish_reason: toFinishReason(answer.finish) }],
        ...(answer.usage && { usage: toUsage(answer.usage) }),
    };
}

const toFinishReason = (reason: FinishReason | null): string =>
    reason === null || reason === 'cancelled' || reason === 'error' ? 'stop' : reason;

/** OpenAI counts cached tokens among the prompt's. */
const toUsage = ({ inputFresh, cacheRead, cacheWrite, output, reasoning }: Usage) => ({
    prompt_tokens: inputFresh + cacheRead + cacheWrite,
    completion_tokens: output,
    total_tokens: inputFresh + cacheRead + cacheWrite + output,
    prompt_tokens_details: { cached_tokens: cacheRead },
    completion_tokens_details: { reasoning_tokens: reasoning },
});

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

/** Writes an answer as `chat.completion.chunk` events: all that they have in common is written once. */
export class ChunkWriter {
    readonly #before: string;
    /** Of all but the last ones. */
    readonly #after: string;
    readonly #usage: boolean;
    #finish: FinishReason | null = null;
    #told: Usage | null = null;

    /** @param usage Whether the client wants the usage, in a chunk of its own at the end */
    constructor({ id, created, model }: Head, usage: boolean) {
        const head = JSON.stringify({ id, object: 'chat.completion.chunk', created, model });
        this.#before = `data: ${head.slice(0, -1)},"choices":[`;
        this.#after = usage ? '],"usage":null}\n\n' : ']}\n\n';
        this.#usage = usage;
    }

    start(): string {
        return this.#chunk(JSON.stringify({ role: 'assistant', content: '', refusal: null }));
    }

    part(part: StreamPart): string {
        if (part.type === 'text') return this.#chunk(`{"content":${JSON.stringify(part.delta)}}`);
        if (part.type === 'reasoning') return this.#chunk(JSON.stringify({ reasoning_content: part.delta }));
        if (part.type === 'tool-call') return this.#chunk(JSON.stringify({ tool_calls: [toToolDelta(part)] }));
        if (part.type === 'usage') this.#told = part.usage;
        else if (part.type === 'finish') this.#finish = part.reason;
        return '';
    }

    end(): string {
        const last = this.#chunk('{}', `"${toFinishReason(this.#finish)}"`);
        const told = this.#usage && this.#told ? JSON.stringify(toUsage(this.#told)) : null;
        const usage = told === null ? '' : `${this.#before}],"usage":${told}}\n\n`;
        return `${last}${usage}data: [DONE]\n\n`;
    }

    /** @param delta As JSON, like the reason */
    #chunk(delta: string, reason = 'null'): string {
        const choice = `{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${reason}}`;
        return this.#before + choice + this.#after;
    }
}

const toToolDelta = ({ index, id, name, argumentsDelta }: Extract<StreamPart, { type: 'tool-call' }>) => ({
    index,
    ...(id !== undefined && { id, type: 'function' }),
    function: { ...(name !== undefined && { name }), arguments: argumentsDelta },
});

/**
 * The events of an answer, one piece for each batch. A failure is the last event, and `[DONE]` is not sent then.
 *
 * @param requestId Told with a failure
 */
export async function* chunkPieces(
    batches: AsyncIterable<StreamPart[]>,
    writer: ChunkWriter,
    requestId: string,
): AsyncGenerator<string> {
    let start = writer.start();
    try {
        for await (const batch of batches) {
            let piece = start;
            for (const part of batch) piece += writer.part(part);
            start = '';
            if (piece !== '') yield piece;
        }
        yield start + writer.end();
    } catch (error) {
        if (!isApiError(error)) throw error;
        yield event(toOpenAiError(errorBody(error, requestId)));
    }
}
