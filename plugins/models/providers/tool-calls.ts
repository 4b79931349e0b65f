import { createHash } from 'node:crypto';

import { isText } from './wire.ts';

import type { FinishReason, ModelCall, StreamPart } from '../api.ts';

/** What came of a tool call. */
export interface ToolCallPiece {
    id?: unknown;
    name?: unknown;
    /** JSON, or a piece of it. */
    arguments?: unknown;
}

/** The tool calls of one answer, numbered from 0: each begins with an id and a name, and has arguments at the end. */
export class ToolCalls {
    readonly #call: ModelCall;
    readonly #begun = new Map<unknown, { index: number; isEmpty: boolean }>();

    constructor(call: ModelCall) {
        this.#call = call;
    }

    get count(): number {
        return this.#begun.size;
    }

    /** @param key What the provider tells its calls apart by */
    *add(key: unknown, piece: ToolCallPiece): Generator<StreamPart> {
        const argumentsDelta = isText(piece.arguments) ? piece.arguments : '';
        const begun = this.#begun.get(key);
        if (!begun) {
            yield this.#begin(key, piece, argumentsDelta);
        } else if (argumentsDelta !== '') {
            begun.isEmpty = false;
            yield { type: 'tool-call', index: begun.index, argumentsDelta };
        }
    }

    #begin(key: unknown, { id, name }: ToolCallPiece, argumentsDelta: string): StreamPart {
        if (!isText(name)) throw new Error('The provider sent a tool call without a name');
        const index = this.count;
        this.#begun.set(key, { index, isEmpty: argumentsDelta === '' });
        return { type: 'tool-call', index, id: isText(id) ? id : this.#idOf(index), name, argumentsDelta };
    }

    /** The end of the answer; one that stopped for its tools says so, though not every provider does. */
    *finish(reason: FinishReason): Generator<StreamPart> {
        const isWhole = reason === 'stop' || reason === 'tool_calls';
        for (const { index, isEmpty } of this.#begun.values()) {
            if (isEmpty && isWhole) yield { type: 'tool-call', index, argumentsDelta: '{}' };
        }
        yield { type: 'finish', reason: reason === 'stop' && this.count > 0 ? 'tool_calls' : reason };
    }

    /** Some providers have no ids. The same for the same call, another in each turn of a conversation, 40 at most. */
    #idOf(index: number): string {
        const { requestId, messages } = this.#call;
        const turn = createHash('sha256').update(`${requestId} ${messages.length}`).digest('base64url').slice(0, 16);
        return `call_${turn}_${index}`;
    }
}
