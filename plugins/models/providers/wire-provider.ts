import { providerError } from './failure.ts';
import { postForStream, type FailureReader } from './http.ts';
import { RepeatedText } from './repeated-text.ts';
import { readText, type Transport } from './transport.ts';
import { parseObject } from './wire.ts';

import type { ModelCall, ModelProvider, StreamPart } from '../api.ts';

export interface ProviderOptions {
    send: Transport;
    /** The platform's; a call may bring its own. */
    apiKey?: string | undefined;
}

/** Reads one answer, an event at a time. */
export interface AnswerReader {
    read(event: object): Iterable<StreamPart>;
}

/** Where a provider lists its models, at no cost, to whoever has a key. */
export interface ModelList {
    /** After the base URL. */
    path: string;
    /** How a key is sent, here and everywhere. */
    headers: (apiKey: string) => Record<string, string>;
}

/** What one provider does in its own way. */
export interface Wire {
    headers: ModelList['headers'];
    /** The path, after the base URL, and the body that a call becomes. */
    request(call: ModelCall): { path: string; body: object };
    /** The pieces of JSON that a body is made of. */
    split(body: AsyncIterable<Uint8Array>): AsyncIterable<string[]>;
    failureOf: FailureReader;
    reader(call: ModelCall): AnswerReader;
}

const MAX_UNREAD = 131_072;

/** How a provider is asked whose wire is that one. */
export const streamOver = (
    { send, apiKey: shared }: ProviderOptions,
    wireOf: (call: ModelCall) => Wire,
): ModelProvider['stream'] =>
    async function* (call, signal) {
        const apiKey = call.apiKey ?? shared;
        const wire = wireOf(call);
        const { path, body } = wire.request(call);
        const headers = {
            'x-client-request-id': call.requestId,
            ...(apiKey !== undefined && wire.headers(apiKey)),
        };
        const request = { path, headers, apiKey, body, signal, isUnhurried: call.isHeardWhole };
        const read = partsOf(wire, wire.reader(call), apiKey);
        for await (const batch of wire.split(await postForStream(send, request, wire.failureOf))) {
            const parts: StreamPart[] = [];
            try {
                for (const piece of batch) read(piece, parts);
            } catch (error) {
                // What came before it came.
                if (parts.length > 0) yield parts;
                throw error;
            }
            if (parts.length > 0) yield parts;
        }
    };

/** Reads pieces of an answer, and adds what they say to the parts. */
function partsOf(wire: Wire, answer: AnswerReader, apiKey: string | undefined) {
    const readWhole = (piece: string): StreamPart[] => {
        const event = parseObject(piece);
        const failure = wire.failureOf(event);
        if (failure) throw providerError(failure, { apiKey });
        return [...answer.read(event)];
    };
    const repeated = new RepeatedText((piece) => onlyText(readWhole(piece)));
    return (piece: string, parts: StreamPart[]): void => {
        const delta = repeated.textOf(piece);
        if (delta !== null) {
            parts.push({ type: 'text', delta });
            return;
        }
        // What follows is read to its end all the same, so that the connection can serve the next call.
        if (piece === '[DONE]' || piece.trim() === '') return;
        const found = readWhole(piece);
        parts.push(...found);
        const text = onlyText(found);
        if (text !== null) repeated.learn(piece, text);
    };
}

/** The text that is all that was said; null where there is more, or something else. */
function onlyText([first, ...others]: StreamPart[]): string | null {
    return first?.type === 'text' && others.length === 0 ? first.delta : null;
}

/** Whether a provider can be reached with the platform's key. */
export const statusOver =
    ({ send, apiKey }: ProviderOptions, list: ModelList): ModelProvider['status'] =>
    async (signal) => {
        if (apiKey === undefined) return { status: 'not_configured' };
        const headers = list.headers(apiKey);
        const { status, body } = await send({ path: list.path, method: 'GET', headers, signal });
        // Read so that the connection can serve the next call; the status says it all.
        await readText(body, MAX_UNREAD).catch(() => '');
        return { status: status < 500 ? 'reachable' : 'unreachable' };
    };
