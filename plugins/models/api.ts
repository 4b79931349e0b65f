import type { ErrorCode } from '../../src/http/errors.ts';
import type { Actor } from '../../src/types/actor.ts';

export type ProviderName = 'anthropic' | 'openai' | 'google' | 'ollama' | 'sandbox';

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
    aliases: string[];
    capabilities: string[];
    /** Tokens that input and output may have together. */
    contextLength: number;
    maxOutput: number | null;
    requiresLoading: boolean;
    parameters: ModelParameters;
    prices: { validFrom: string | null; validUntil: string | null; microsPerMillion: TokenPrices }[];
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

/** What a model is asked. */
export interface ModelCall {
    model: Model;
    messages: ChatMessage[];
    parameters: CallParameters;
    /** The user's own key, which goes before the platform's. */
    apiKey?: string;
    /** Sent to the provider, so that its log can be held against ours. */
    requestId: string;
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

/** An answer that has begun. */
export interface OpenAnswer {
    /** The call that is answered. */
    call: ModelCall;
    /**
     * Begins with a word, a thought or a tool call, where there is any; `usage` and `finish` come once, at the end.
     * Fails as `ModelService.open` does.
     */
    parts: AsyncIterable<StreamPart>;
}

/** How a provider is, as far as it can be told without a call that costs. */
export interface ProviderStatus {
    status: 'reachable' | 'unreachable' | 'not_configured' | 'loaded';
    /** Local models in memory. */
    models?: { model: string; memoryBytes: number }[];
}

/** A model provider behind its wire. Failures are the catalogue's PROVIDER_… errors. */
export interface ModelProvider {
    stream(call: ModelCall, signal: AbortSignal): AsyncIterable<StreamPart>;
    status(signal: AbortSignal): Promise<ProviderStatus>;
}

/** How calls to an endpoint of a provider went, on all replicas. */
export interface CircuitState {
    /** `half_open`: one call at a time, until two have begun to be answered. */
    state: 'closed' | 'open' | 'half_open';
    /** In a row. */
    failures: number;
    /** When an open one lets a call through again, as ISO-8601. */
    retryAt: string | null;
}

/** What a provider says of a key; `unknown` when it could not be asked. */
export type KeyVerdict = boolean | 'unknown';

/** Whose keys. */
export interface KeyOwner {
    tenantId: string;
    userId: string;
}

/** What a user is told of a key of his own; the key itself is never shown again. */
export interface KeyState {
    configured: boolean;
    /** To the minute. */
    lastUsed?: string;
}

/** API keys that users bring: sealed in Redis, opened for a call only. */
export interface ProviderKeyService {
    /**
     * Asks each provider about its key and stores those that it does not refuse.
     *
     * @throws USER_NOT_FOUND when the user was deleted meanwhile
     */
    add(
        actor: Actor,
        keys: Partial<Record<KeyName, string>>,
    ): Promise<{ updated: KeyName[]; verified: Partial<Record<KeyName, KeyVerdict>> }>;
    /** @throws PROVIDER_KEY_NOT_FOUND */
    remove(actor: Actor, name: KeyName): Promise<void>;
    /** The user's own key for a call that is about to be made; null when there is none that opens. One round trip. */
    use(actor: Actor, name: KeyName): Promise<string | null>;
    /** Where a user's keys live, for scripts that bring them along. */
    key(owner: KeyOwner): string;
    /** Reads what such a script returned of all keys. */
    describe(owner: KeyOwner, flat: string[]): Record<KeyName, KeyState>;
    /** The key, or null when its master key was retired. */
    open(owner: KeyOwner, name: KeyName, sealed: string): string | null;
}

/** What a call to a model fails with. */
export const CALL_ERRORS: ErrorCode[] = [
    'PROVIDER_KEY_MISSING',
    'PROVIDER_KEY_INVALID',
    'PROVIDER_REFUSED',
    'PROVIDER_RATE_LIMITED',
    'PROVIDER_ERROR',
    'PROVIDER_OVERLOADED',
    'PROVIDER_TIMEOUT',
    'CIRCUIT_OPEN',
];

/** The port of the models feature. */
export interface ModelService {
    /** @throws MODEL_NOT_FOUND */
    get(idOrAlias: string): Model;
    /** The models that a call can be made to. @param ownKeys Names of the keys that the user brings */
    usable(ownKeys: string[]): Model[];
    keys: ProviderKeyService;
    /** Whose API key a call to the model needs; null when it needs none. */
    keyName(model: Model): KeyName | null;
    /** The call without what this model does not take. @throws VALIDATION_ERROR, PROVIDER_KEY_MISSING */
    prepare(call: ModelCall): { call: ModelCall; ignoredParameters: ParameterName[] };
    /**
     * Asks the first of the models that answers, and waits until it begins. The signal stops the provider.
     *
     * Each model is tried up to three times, within the time for a first part, where another try may help: network, 5xx
     * and limits of the rate, never for longer than the provider wants to be left alone. The next model is asked after
     * any PROVIDER_… error and CIRCUIT_OPEN, but not after PROVIDER_REFUSED: what is wrong there is the call. It has a
     * time of its own. Nothing is tried again once the answer has begun.
     *
     * @param calls Prepared; those after the first are asked only when those before them failed
     * @throws Where none answers, what the first failed with: that is the model that was asked for, and its Retry-After
     *   tells when it may be. The PROVIDER_… errors, CIRCUIT_OPEN, what the signal was aborted with
     */
    open(calls: [ModelCall, ...ModelCall[]], signal: AbortSignal): Promise<OpenAnswer>;
    /** The usage of a call that ended before its provider told one. */
    estimateUsage(call: ModelCall, answer: string, thoughts?: string): Usage;
    /** How each provider is, not older than some seconds. */
    statuses(): Promise<Partial<Record<ProviderName, ProviderStatus>>>;
    /**
     * The circuits by name, `<provider>:<origin>`: of each provider here, and all others that are not closed and clean.
     * Origins are not for everybody to see.
     */
    circuits(): Promise<Record<string, CircuitState>>;
    /** Closes a circuit at once; other replicas follow within a second. @throws STORE_UNAVAILABLE */
    resetCircuit(name: string): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        models: ModelService;
    }
}

export { estimateTokens, textOf } from './estimate.ts';
