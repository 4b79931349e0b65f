import { argumentsOf, contentParts, inlineImage, systemText, toolsOf, turnsOf } from './messages.ts';

import type { CallParameters, ChatMessage, ContentPart, ModelCall } from '../api.ts';

/** The limit is required; where nobody has named one, this is enough for any answer and does not promise the most. */
const DEFAULT_MAX_TOKENS = 32_000;
const UNKNOWN_MAX_TOKENS = 4_096;

/** The body of `POST /v1/messages`. */
export const anthropicRequest = ({ model, messages, parameters }: ModelCall) => ({
    model: model.upstreamId ?? model.id,
    max_tokens: parameters.maxTokens ?? Math.min(model.maxOutput ?? UNKNOWN_MAX_TOKENS, DEFAULT_MAX_TOKENS),
    system: systemText(messages),
    messages: turnsOf(messages, blocksOf).map(({ role, parts }) => ({ role, content: parts })),
    temperature: parameters.temperature,
    top_p: parameters.topP,
    stop_sequences: parameters.stop,
    ...toolFields(parameters),
    stream: true,
});

function blocksOf({ role, content, toolCalls = [], toolCallId }: ChatMessage): object[] {
    const blocks = contentParts(content).map(blockOf);
    if (role === 'tool') return [{ type: 'tool_result', tool_use_id: toolCallId, content: blocks }];
    const uses = toolCalls.map((call) => ({
        type: 'tool_use',
        id: call.id,
        name: call.name,
        input: argumentsOf(call),
    }));
    return [...blocks, ...uses];
}

function blockOf(part: ContentPart): object {
    if (part.type === 'text') return part;
    const inline = inlineImage(part.url);
    const source = inline
        ? { type: 'base64', media_type: inline.mediaType, data: inline.data }
        : { type: 'url', url: part.url };
    return { type: 'image', source };
}

function toolFields(parameters: CallParameters) {
    const tools = toolsOf(parameters)?.map(({ name, description, parameters: schema, strict }) => ({
        name,
        description,
        input_schema: schema ?? { type: 'object' },
        strict,
    }));
    return tools && { tools, tool_choice: toolChoice(parameters) };
}

function toolChoice({ toolChoice: choice, parallelToolCalls }: CallParameters): object | undefined {
    if (choice === 'none') return { type: 'none' };
    const single = parallelToolCalls === false && { disable_parallel_tool_use: true };
    if (typeof choice === 'object') return { type: 'tool', name: choice.name, ...single };
    if (choice === 'required') return { type: 'any', ...single };
    return choice === 'auto' || single ? { type: 'auto', ...single } : undefined;
}
