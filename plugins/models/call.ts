export type ProviderName = 'anthropic' | 'openai' | 'google' | 'ollama' | 'sandbox';

/** What the ids of records begin with that models are reached over. */
export type SourcePrefix = 'tun' | 'proxy';

/** What users know a provider's API key by. */
export const KEY_NAMES = ['claude', 'openai', 'google'] as const;
export type KeyName = (typeof KEY_NAMES)[number];

/** Micro-dollars per million tokens; null is a price nobody told us. */
export interface TokenPrices {
    input: number | null;
    output: number | null;
    cacheRead?: number | null;
    cacheWrite5m?: number | null;
    cacheWrite1h?: number | null;
}

/** What a model takes besides messages, where it differs from the others of its provider. */
export interface ModelParameters {
    /** False: the model takes none, nor anything else that steers how it draws its tokens. */
    temperature: false | { min: number; max: number; default: number };
    topP?: boolean;
    /** What the provider calls the limit of the output. */
    maxTokensField?: string;
    /** OpenAI: a call with tools goes to this endpoint. */
    toolsEndpoint?: 'responses';
}

/** A model of the catalogue. */
export interface Model {
    id: string;
    name: string;
    provider: ProviderName;
    /** What the provider calls it, where that is another name. */
    upstreamId?: string;
    /** The record of a user that it is reached over; not of the catalogue. */
    via?: { prefix: SourcePrefix; id: string };
    aliases: string[];
    capabilities: string[];
    /** Tokens that input and output may have together. */
    contextLength: number;
    maxOutput: number | null;
    requiresLoading: boolean;
    parameters: ModelParameters;
    prices: ModelPrice[];
}

/** What a model costs in some stretch of time. */
export interface ModelPrice {
    /** Days as `yyyy-mm-dd`, in UTC; null is open. */
    validFrom: string | null;
    validUntil: string | null;
    microsPerMillion: TokenPrices;
    /** A call with more input tokens than that is priced by this table, as a whole. */
    aboveInputTokens?: { tokens: number; microsPerMillion: TokenPrices };
}

/** A piece of a message; an image is at a URL, or Base64 in a `data:` URL. */
export type ContentPart = { type: 'text'; text: string } | { type: 'image'; url: string };

/** What a model wants done; `arguments` is JSON as the model wrote it. */
export interface ToolCall {
    id: string;
    name: string;
    arguments: string;
}

export interface ChatMessage {
    role: 'system' | 'user' | 'assistant' | 'tool';
    content: string | ContentPart[];
    /** Of an assistant. */
    toolCalls?: ToolCall[];
    /** Of a tool's result: the call it belongs to. */
    toolCallId?: string;
}

export interface ToolDefinition {
    name: string;
    description?: string;
    /** JSON Schema of the arguments. */
    parameters?: object;
    strict?: boolean;
}

/** What a call asks for besides its messages. What a model does not take is left out and named. */
export interface CallParameters {
    temperature?: number;
    topP?: number;
    maxTokens?: number;
    stop?: string[];
    seed?: number;
    presencePenalty?: number;
    frequencyPenalty?: number;
    tools?: ToolDefinition[];
    /** `name`: that tool and no other. */
    toolChoice?: 'auto' | 'none' | 'required' | { name: string };
    parallelToolCalls?: boolean;
    responseFormat?: { type: 'json_object' } | { type: 'json_schema'; name: string; schema: object; strict?: boolean };
    reasoningEffort?: 'minimal' | 'low' | 'medium' | 'high';
}

export type ParameterName = keyof CallParameters;

/** Who uses a model. */
export interface ModelUser {
    tenantId: string;
    userId: string;
}

/** What a model is asked. */
export interface ModelCall {
    model: Model;
    user: ModelUser;
    messages: ChatMessage[];
    parameters: CallParameters;
    /** The user's own key, which goes before the platform's. */
    apiKey?: string;
    /** Sent to the provider, so that its log can be held against ours. */
    requestId: string;
    /** Nobody hears of the answer before its end: what comes of it may be read together. */
    isHeardWhole?: boolean;
}

/** Tokens in disjoint buckets; `reasoning` is a part of `output`. */
export interface Usage {
    inputFresh: number;
    cacheRead: number;
    cacheWrite: number;
    output: number;
    reasoning: number;
    /** The provider told nothing: counted from the text. */
    isEstimated: boolean;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'cancelled' | 'error';

/** A step of an answer, in the same form for every provider. */
export type StreamPart =
    | { type: 'start' }
    | { type: 'text'; delta: string }
    | { type: 'reasoning'; delta: string }
    /** `id` and `name` come with the first part of each `index`. */
    | { type: 'tool-call'; index: number; id?: string; name?: string; argumentsDelta: string }
    | { type: 'usage'; usage: Usage }
    | { type: 'finish'; reason: FinishReason };
