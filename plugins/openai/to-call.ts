import type { CompletionRequest, RequestMessage, RequestPart } from './request-schema.ts';
import type { CallParameters, ChatMessage, ContentPart, ParameterName } from '../models/api.ts';

/** What each parameter of a call is named in a request. */
const FIELDS: Record<ParameterName, keyof CompletionRequest> = {
    temperature: 'temperature',
    topP: 'top_p',
    maxTokens: 'max_completion_tokens',
    stop: 'stop',
    seed: 'seed',
    presencePenalty: 'presence_penalty',
    frequencyPenalty: 'frequency_penalty',
    tools: 'tools',
    toolChoice: 'tool_choice',
    parallelToolCalls: 'parallel_tool_calls',
    responseFormat: 'response_format',
    reasoningEffort: 'reasoning_effort',
};

/** Fields that are seen to elsewhere, or that change nothing of an answer. */
const OTHERS = ['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'n', 'user', 'metadata', 'store'];
const SILENT = new Set([...OTHERS, 'prompt_cache_key', 'safety_identifier', 'service_tier']);
const KNOWN = new Set<string>([...Object.values(FIELDS), ...SILENT]);

/** What may stand in a header. */
const FIELD_NAME = /^\w{1,64}$/;
const MOST_NAMED = 20;

/** The fields of a request that its answer does not go by: what the model does not take, and what nobody here knows. */
export function ignoredFields(request: CompletionRequest, ignored: ParameterName[]): string[] {
    const refused = ignored.map((name) =>
        name === 'maxTokens' && request.max_completion_tokens == null ? 'max_tokens' : FIELDS[name],
    );
    const unknown = Object.entries(request)
        .filter(([name, value]) => !KNOWN.has(name) && value !== null && FIELD_NAME.test(name))
        .map(([name]) => name);
    return [...refused, ...unknown].slice(0, MOST_NAMED);
}

export const toMessages = ({ messages }: CompletionRequest): ChatMessage[] => messages.map(toMessage);

function toMessage({ role, content, tool_calls: calls, tool_call_id: toolCallId }: RequestMessage): ChatMessage {
    const toolCalls = calls?.map(({ id, function: { name, arguments: args } }) => ({ id, name, arguments: args }));
    return {
        role: role === 'developer' ? 'system' : role,
        content: typeof content === 'string' ? content : toContent(content ?? []),
        ...(role === 'assistant' && toolCalls && toolCalls.length > 0 && { toolCalls }),
        ...(role === 'tool' && toolCallId !== undefined && { toolCallId }),
    };
}

/** Where there is no image, the text in one: not every provider takes parts. */
function toContent(parts: RequestPart[]): string | ContentPart[] {
    const content = parts.map(toPart);
    const texts = content.flatMap((part) => (part.type === 'text' ? part.text : []));
    return texts.length === content.length ? texts.join('\n') : content;
}

function toPart(part: RequestPart): ContentPart {
    if (part.type === 'image_url') return { type: 'image', url: part.image_url.url };
    return { type: 'text', text: part.type === 'text' ? part.text : part.refusal };
}

export function toParameters(request: CompletionRequest): CallParameters {
    return present({
        temperature: request.temperature,
        topP: request.top_p,
        maxTokens: request.max_completion_tokens ?? request.max_tokens,
        stop: typeof request.stop === 'string' ? [request.stop] : request.stop,
        seed: request.seed,
        presencePenalty: request.presence_penalty,
        frequencyPenalty: request.frequency_penalty,
        responseFormat: toFormat(request.response_format),
        reasoningEffort: request.reasoning_effort,
        ...toToolParameters(request),
    });
}

/** Without tools there is nothing to choose from. */
function toToolParameters({ tools, tool_choice: choice, parallel_tool_calls: areParallel }: CompletionRequest) {
    if (!tools || tools.length === 0) return {};
    return {
        tools: tools.map(({ function: { strict, ...tool } }) => withStrict(tool, strict)),
        toolChoice: typeof choice === 'object' && choice !== null ? { name: choice.function.name } : choice,
        parallelToolCalls: areParallel,
    };
}

type Given<T> = { [Name in keyof T]?: T[Name] | null | undefined };

/** Without what was left open. */
const present = (given: Given<CallParameters>): CallParameters =>
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));

const withStrict = <T extends object>(value: T, strict: boolean | null | undefined) => ({
    ...value,
    ...(typeof strict === 'boolean' && { strict }),
});

function toFormat(format: CompletionRequest['response_format']): CallParameters['responseFormat'] | null {
    if (!format || format.type === 'text') return null;
    if (format.type === 'json_object') return { type: 'json_object' };
    const { name, schema = {}, strict } = format.json_schema;
    return withStrict({ type: 'json_schema' as const, name, schema }, strict);
}
