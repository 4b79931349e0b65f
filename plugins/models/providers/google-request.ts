import { argumentsOf, contentParts, inlineImage, systemText, toolsOf, turnsOf } from './messages.ts';
import { parseObject } from './wire.ts';
import { textOf } from '../estimate.ts';

import type { CallParameters, ChatMessage, ContentPart, Model, ModelCall } from '../api.ts';

/**
 * Newer models refuse their own function calls without the signature of the thought behind them, which our form of a
 * message has no room for; Google names this word for calls that come from elsewhere.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** The body of `:streamGenerateContent`. */
export const googleRequest = ({ model, messages, parameters }: ModelCall) => {
    const system = systemText(messages);
    return {
        systemInstruction: system && { parts: [{ text: system }] },
        contents: turnsOf(messages, partsWith(messages)).map(({ role, parts }) => ({
            role: role === 'assistant' ? 'model' : 'user',
            parts,
        })),
        generationConfig: generationConfig(model, parameters),
        ...toolFields(parameters),
    };
};

/** A result goes by the name of its tool, which only the call before it tells. */
function partsWith(messages: ChatMessage[]): (message: ChatMessage) => object[] {
    const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls);
    const names = new Map(calls.map(({ id, name }) => [id, name]));
    return ({ role, content, toolCalls = [], toolCallId = '' }) => {
        if (role === 'tool') {
            return [{ functionResponse: { name: names.get(toolCallId) ?? toolCallId, response: responseOf(content) } }];
        }
        const called = toolCalls.map((call) => ({
            functionCall: { name: call.name, args: argumentsOf(call) },
            thoughtSignature: NO_SIGNATURE,
        }));
        return [...contentParts(content).map(partOf), ...called];
    };
}

/** A result has to be an object; `output` is where Google looks for one that is none. */
function responseOf(content: ChatMessage['content']): object {
    const output = textOf(content);
    try {
        const value = parseObject(output);
        return Array.isArray(value) ? { output: value } : value;
    } catch {
        return { output };
    }
}

function partOf(part: ContentPart): object {
    if (part.type === 'text') return { text: part.text };
    const inline = inlineImage(part.url);
    return inline
        ? { inlineData: { mimeType: inline.mediaType, data: inline.data } }
        : { fileData: { fileUri: part.url } };
}

const generationConfig = ({ capabilities }: Model, parameters: CallParameters) => ({
    temperature: parameters.temperature,
    topP: parameters.topP,
    maxOutputTokens: parameters.maxTokens,
    stopSequences: parameters.stop,
    seed: parameters.seed,
    presencePenalty: parameters.presencePenalty,
    frequencyPenalty: parameters.frequencyPenalty,
    ...(parameters.responseFormat && { responseMimeType: 'application/json' }),
    ...(parameters.responseFormat?.type === 'json_schema' && { responseJsonSchema: parameters.responseFormat.schema }),
    // Thoughts are paid for in any case, and shown only on request.
    ...(capabilities.includes('reasoning') && { thinkingConfig: { includeThoughts: true } }),
});

const MODES = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const;

function toolFields(parameters: CallParameters) {
    const tools = toolsOf(parameters);
    if (!tools) return undefined;
    const functionDeclarations = tools.map(({ name, description, parameters: schema }) => ({
        name,
        description,
        parametersJsonSchema: schema,
    }));
    const { toolChoice } = parameters;
    const functionCallingConfig =
        typeof toolChoice === 'object'
            ? { mode: 'ANY', allowedFunctionNames: [toolChoice.name] }
            : toolChoice && { mode: MODES[toolChoice] };
    return { tools: [{ functionDeclarations }], ...(toolChoice && { toolConfig: { functionCallingConfig } }) };
}
