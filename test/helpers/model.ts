import { closeCircuits } from './circuits.ts';
import { isApiError, type ApiError } from '../../src/http/errors.ts';

import type { Model, ModelCall, ModelService, StreamPart, ToolCall, Usage } from '../../plugins/models/api.ts';

/** A model of the catalogue, of OpenAI unless it says otherwise. */
export const testModel = (model: Partial<Model> = {}): Model => ({
    id: 'test-model',
    name: 'Test',
    provider: 'openai',
    aliases: [],
    capabilities: ['text'],
    contextLength: 8_192,
    maxOutput: null,
    requiresLoading: false,
    parameters: { temperature: { min: 0, max: 2, default: 1 } },
    prices: [],
    ...model,
});

/** One user's question to that model. */
export const testCall = (model: Model, content = 'How are you?', call: Partial<ModelCall> = {}): ModelCall => ({
    model,
    messages: [{ role: 'user', content }],
    parameters: {},
    requestId: 'req_of_the_test',
    user: { tenantId: 'tenant_of_the_test', userId: 'user_of_the_test' },
    ...call,
});

/** An answer in the form that two streams can be compared in. */
export interface WholeAnswer {
    text: string;
    thoughts: string;
    toolCalls: ToolCall[];
    usage: Usage | undefined;
    finish: string | undefined;
    types: StreamPart['type'][];
}

export async function wholeAnswer(stream: AsyncIterable<StreamPart[]>): Promise<WholeAnswer> {
    const answer: WholeAnswer = {
        text: '',
        thoughts: '',
        toolCalls: [],
        usage: undefined,
        finish: undefined,
        types: [],
    };
    for await (const batch of stream) for (const part of batch) hear(answer, part);
    return answer;
}

function hear(answer: WholeAnswer, part: StreamPart): void {
    answer.types.push(part.type);
    if (part.type === 'text') answer.text += part.delta;
    else if (part.type === 'reasoning') answer.thoughts += part.delta;
    else if (part.type === 'tool-call') hearToolCall(answer.toolCalls, part);
    else if (part.type === 'usage') answer.usage = part.usage;
    else if (part.type === 'finish') answer.finish = part.reason;
}

/** As a reader of parts does: the first of each index has the id and the name. */
function hearToolCall(calls: ToolCall[], part: Extract<StreamPart, { type: 'tool-call' }>): void {
    const { index, id = '', name = '', argumentsDelta } = part;
    const call = (calls[index] ??= { id, name, arguments: '' });
    call.arguments += argumentsDelta;
}

/** What a stream fails with, and what came before: every failure has to be one of the catalogue's. */
export async function failureOf(stream: AsyncIterable<StreamPart[]>): Promise<{ error: ApiError; text: string }> {
    let text = '';
    try {
        for await (const batch of stream) {
            for (const part of batch) if (part.type === 'text') text += part.delta;
        }
    } catch (error) {
        if (isApiError(error)) return { error, text };
        throw error;
    }
    throw new Error(`The stream did not fail: ${text}`);
}

/** An answer from its beginning to its end, as one stream, whatever failed before. */
export async function* streamOf(models: ModelService, call: ModelCall, signal: AbortSignal) {
    await closeCircuits(models);
    const { parts } = await models.open([call], signal);
    yield* parts;
}
