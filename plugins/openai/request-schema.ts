import Joi from 'joi';

/** A part of a message's content. */
export type RequestPart =
    | { type: 'text'; text: string }
    | { type: 'refusal'; refusal: string }
    | { type: 'image_url'; image_url: { url: string } };

/** A message as clients send it. */
export interface RequestMessage {
    role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
    content?: string | RequestPart[] | null;
    tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[] | null;
    tool_call_id?: string;
}

interface FunctionTool {
    type: 'function';
    function: { name: string; description?: string; parameters?: object; strict?: boolean | null };
}

type ResponseFormat =
    | { type: 'text' }
    | { type: 'json_object' }
    | { type: 'json_schema'; json_schema: { name: string; schema?: object; strict?: boolean | null } };

/** The fields of Chat Completions that mean something here; clients send null for what they leave open. */
export interface CompletionRequest {
    model: string;
    messages: RequestMessage[];
    stream?: boolean | null;
    stream_options?: { include_usage?: boolean } | null;
    temperature?: number | null;
    top_p?: number | null;
    max_tokens?: number | null;
    max_completion_tokens?: number | null;
    stop?: string | string[] | null;
    seed?: number | null;
    presence_penalty?: number | null;
    frequency_penalty?: number | null;
    tools?: FunctionTool[] | null;
    tool_choice?: 'auto' | 'none' | 'required' | { type: 'function'; function: { name: string } } | null;
    parallel_tool_calls?: boolean | null;
    response_format?: ResponseFormat | null;
    reasoning_effort?: 'minimal' | 'low' | 'medium' | 'high' | null;
    n?: 1 | null;
    user?: string | null;
    metadata?: object | null;
    store?: boolean | null;
}

const lenient = (keys: Joi.PartialSchemaMap): Joi.ObjectSchema => Joi.object(keys).unknown();
const toolName = () => Joi.string().pattern(/^[a-zA-Z0-9_-]{1,64}$/, 'name of a tool');

/** What a part needs by its type. */
const PART_FIELDS: Record<string, string> = { text: 'text', refusal: 'refusal', image_url: 'image_url' };

const part = lenient({
    type: Joi.string().valid('text', 'image_url', 'refusal').required(),
    text: Joi.string().allow(''),
    refusal: Joi.string().allow(''),
    image_url: lenient({
        url: Joi.string()
            .pattern(/^(https?:\/\/|data:image\/[a-z0-9.+-]+;base64,)/, 'URL of an image')
            .required()
            .description('`https://…`, or `data:image/…;base64,…`'),
    }).label('CompletionImage'),
})
    .custom((value: { type: string } & Record<string, unknown>, helpers) => {
        const field = PART_FIELDS[value.type] ?? '';
        return value[field] === undefined ? helpers.message({ custom: `needs ${field}` }) : value;
    })
    .label('CompletionPart');

const toolCall = lenient({
    id: Joi.string().max(200).required(),
    type: Joi.string().valid('function').required(),
    function: lenient({ name: toolName().required(), arguments: Joi.string().allow('').required() })
        .required()
        .label('CompletionCalledFunction'),
}).label('CompletionToolCall');

/** What is wrong with a message of its role, or null. */
function faultOf({ role, content, tool_calls: calls, tool_call_id: callId }: RequestMessage): string | null {
    const isEmpty = content === undefined || content === null;
    if (isEmpty && (role !== 'assistant' || !calls?.length)) return 'needs content';
    if (role === 'tool' && callId === undefined) return 'needs tool_call_id';
    const hasImage = Array.isArray(content) && content.some(({ type }) => type === 'image_url');
    return hasImage && role !== 'user' ? 'may have an image of role user only' : null;
}

const message = lenient({
    role: Joi.string().valid('system', 'developer', 'user', 'assistant', 'tool').required(),
    content: Joi.alternatives()
        .try(Joi.string().allow(''), Joi.array().items(part).min(1).label('CompletionParts'))
        .allow(null),
    tool_calls: Joi.array().items(toolCall).max(128).allow(null).label('CompletionToolCalls').description('assistant'),
    tool_call_id: Joi.string().max(200).description('tool'),
})
    .custom((value: RequestMessage, helpers) => {
        const fault = faultOf(value);
        return fault === null ? value : helpers.message({ custom: fault });
    })
    .label('CompletionMessage');

const tool = lenient({
    type: Joi.string().valid('function').required(),
    function: lenient({
        name: toolName().required(),
        description: Joi.string().allow(''),
        parameters: Joi.object().unknown().description('JSON Schema').label('CompletionToolParameters'),
        strict: Joi.boolean().allow(null),
    })
        .required()
        .label('CompletionFunction'),
}).label('CompletionTool');

const toolChoice = Joi.alternatives().try(
    Joi.string().valid('auto', 'none', 'required'),
    lenient({
        type: Joi.string().valid('function').required(),
        function: lenient({ name: toolName().required() }).required().label('CompletionChosenFunction'),
    }).label('CompletionChosenTool'),
);

const responseFormat = lenient({
    type: Joi.string().valid('text', 'json_object', 'json_schema').required(),
    json_schema: lenient({
        name: toolName().required(),
        schema: Joi.object().unknown().label('CompletionJsonSchema'),
        strict: Joi.boolean().allow(null),
    }).label('CompletionFormatSchema'),
})
    .custom((value: { type: string; json_schema?: object }, helpers) => {
        const isMissing = value.type === 'json_schema' && value.json_schema === undefined;
        return isMissing ? helpers.message({ custom: 'needs json_schema' }) : value;
    })
    .label('CompletionFormat');

const number = (least: number, most: number) => Joi.number().min(least).max(most).allow(null);
const tokens = () => Joi.number().integer().min(1).allow(null);

export const completionPayload = lenient({
    model: Joi.string().max(200).required().description('an id of `GET /v1/models`, or an alias'),
    messages: Joi.array().items(message).min(1).required().label('CompletionMessages'),
    stream: Joi.boolean().allow(null),
    stream_options: lenient({ include_usage: Joi.boolean() }).allow(null).label('CompletionStreamOptions'),
    temperature: number(0, 2),
    top_p: number(0, 1),
    max_tokens: tokens(),
    max_completion_tokens: tokens().description('goes before max_tokens'),
    stop: Joi.alternatives()
        .try(Joi.string(), Joi.array().items(Joi.string()).min(1).max(4).label('CompletionStops'))
        .allow(null),
    seed: Joi.number().integer().allow(null),
    presence_penalty: number(-2, 2),
    frequency_penalty: number(-2, 2),
    tools: Joi.array().items(tool).max(128).allow(null).label('CompletionTools'),
    tool_choice: toolChoice.allow(null),
    parallel_tool_calls: Joi.boolean().allow(null),
    response_format: responseFormat.allow(null),
    reasoning_effort: Joi.string().valid('minimal', 'low', 'medium', 'high').allow(null),
    n: Joi.number().valid(1).allow(null),
    user: Joi.string().allow('', null).description('not used'),
    metadata: Joi.object().unknown().allow(null).description('not used').label('CompletionMetadata'),
    store: Joi.boolean().allow(null).description('not used: nothing is stored'),
})
    .prefs({ convert: false })
    .example({
        model: 'sandbox',
        messages: [
            { role: 'system', content: 'You are brief.' },
            { role: 'user', content: 'What can I see in Lisbon?' },
        ],
        stream: true,
        stream_options: { include_usage: true },
    })
    .label('CompletionRequest');

export interface ModelParams {
    id: string;
}

export const modelParams = Joi.object<ModelParams>({
    id: Joi.string().max(200).required().example('sandbox'),
}).label('CompletionModelParams');
