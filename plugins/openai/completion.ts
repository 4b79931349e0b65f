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

/** Writes an answer as `chat.completion.chunk` events. */
export class ChunkWriter {
    readonly #head: Head;
    readonly #usage: boolean;
    #finish: FinishReason | null = null;
    #told: Usage | null = null;

    /** @param usage Whether the client wants the usage, in a chunk of its own at the end */
    constructor(head: Head, usage: boolean) {
        this.#head = head;
        this.#usage = usage;
    }

    start(): string {
        return this.#chunk({ role: 'assistant', content: '', refusal: null });
    }

    part(part: StreamPart): string {
        if (part.type === 'text') return this.#chunk({ content: part.delta });
        if (part.type === 'reasoning') return this.#chunk({ reasoning_content: part.delta });
        if (part.type === 'tool-call') return this.#chunk({ tool_calls: [toToolDelta(part)] });
        if (part.type === 'usage') this.#told = part.usage;
        else if (part.type === 'finish') this.#finish = part.reason;
        return '';
    }

    end(): string {
        const last = this.#chunk({}, toFinishReason(this.#finish));
        const usage = this.#usage && this.#told ? event(this.#body([], toUsage(this.#told))) : '';
        return `${last}${usage}data: [DONE]\n\n`;
    }

    #chunk(delta: object, reason: string | null = null): string {
        return event(this.#body([{ index: 0, delta, logprobs: null, finish_reason: reason }], null));
    }

    #body(choices: object[], usage: object | null): object {
        const { id, created, model } = this.#head;
        return { id, object: 'chat.completion.chunk', created, model, choices, ...(this.#usage && { usage }) };
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
            const piece = start + batch.map((part) => writer.part(part)).join('');
            start = '';
            if (piece !== '') yield piece;
        }
        yield start + writer.end();
    } catch (error) {
        if (!isApiError(error)) throw error;
        yield event(toOpenAiError(errorBody(error, requestId)));
    }
}
