export type ProviderName = 'anthropic' | 'openai' | 'google' | 'ollama' | 'sandbox';

/** Micro-dollars per million tokens; null is a price nobody told us. */
export interface TokenPrices {
    input: number | null;
    output: number | null;
    cacheRead?: number | null;
    cacheWrite5m?: number | null;
    cacheWrite1h?: number | null;
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
    parameters: {
        /** False: the model takes none. */
        temperature: false | { min: number; max: number; default: number };
    };
    prices: { validFrom: string | null; validUntil: string | null; microsPerMillion: TokenPrices }[];
}

export interface ChatMessage {
    role: 'system' | 'user' | 'assistant';
    content: string;
}

/** What a model is asked. */
export interface ModelCall {
    model: Model;
    messages: ChatMessage[];
    temperature?: number;
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
    | { type: 'usage'; usage: Usage }
    | { type: 'finish'; reason: FinishReason };

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

/** The port of the models feature. */
export interface ModelService {
    /** @throws MODEL_NOT_FOUND */
    get(idOrAlias: string): Model;
    /** What the call may not say to this model. @throws VALIDATION_ERROR, PROVIDER_KEY_MISSING */
    prepare(call: ModelCall): { call: ModelCall; ignoredParameters: string[] };
    /**
     * The answer, part by part: `usage` and `finish` come once, at the end. The signal stops the provider.
     *
     * @throws The PROVIDER_… errors; what the signal was aborted with
     */
    stream(call: ModelCall, signal: AbortSignal): AsyncIterable<StreamPart>;
    /** The usage of a call that ended before its provider told one. */
    estimateUsage(call: ModelCall, answer: string): Usage;
    /** How each provider is, not older than some seconds. */
    statuses(): Promise<Partial<Record<ProviderName, ProviderStatus>>>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        models: ModelService;
    }
}

export { estimateTokens } from './estimate.ts';
