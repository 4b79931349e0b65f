import type {
    KeyName,
    Model,
    ModelCall,
    ModelUser,
    ParameterName,
    ProviderName,
    SourcePrefix,
    StreamPart,
    Usage,
} from './call.ts';
import type { ErrorCode } from '../../src/http/errors.ts';
import type { RelayAnswer, RelayRequest } from '../../src/relay/types.ts';
import type { Actor } from '../../src/types/actor.ts';

export * from './call.ts';

/** An answer that has begun. */
export interface OpenAnswer {
    /** The call that is answered. */
    call: ModelCall;
    /**
     * In batches, of what came at once. Begins with a word, a thought or a tool call, where there is any; `usage` and
     * `finish` come once, at the end. Fails as `ModelService.open` does.
     */
    parts: AsyncIterable<StreamPart[]>;
}

/** How a provider is, as far as it can be told without a call that costs. */
export interface ProviderStatus {
    status: 'reachable' | 'unreachable' | 'not_configured' | 'loaded';
    /** Local models in memory. */
    models?: { model: string; memoryBytes: number }[];
}

/** A model provider behind its wire. Failures are the catalogue's PROVIDER_… errors. */
export interface ModelProvider {
    /** In batches, of what came at once. */
    stream(call: ModelCall, signal: AbortSignal): AsyncIterable<StreamPart[]>;
    status(signal: AbortSignal): Promise<ProviderStatus>;
}

/**
 * Records of users over which their own Ollamas are reached. Whoever may not use a record is told that there is none:
 * 404, with whichever code.
 */
export interface ModelSource {
    /** Sends a request; the answer's body has to be read or returned, or `gone` aborted. @throws Catalogue errors */
    request(user: ModelUser, id: string, request: RelayRequest): Promise<RelayAnswer>;
    /** Whether the user may use the record. @throws Where not */
    check(user: ModelUser, id: string): Promise<void>;
    /** Those that the user may use and that take requests now. @param most So many at most */
    connected(user: ModelUser, most: number): Promise<{ id: string; name: string }[]>;
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
    'QUOTA_EXCEEDED',
    'TUNNEL_OFFLINE',
    'TUNNEL_BUSY',
    'TUNNEL_TIMEOUT',
    'TUNNEL_ERROR',
    'PROXY_STOPPED',
    'PROXY_BUSY',
    'PROXY_OFFLINE',
];

/** The port of the models feature. */
export interface ModelService {
    /** Of the catalogue of models and prices. */
    readonly version: string;
    /**
     * A model, for what is kept by its id: of one that is reached over a user's record no more is known than its id
     * tells, nor whether it is there. @throws MODEL_NOT_FOUND
     */
    get(idOrAlias: string): Model;
    /**
     * The model that a user means: to call it, or to keep its id. One whose server is away is as its id tells.
     *
     * @throws MODEL_NOT_FOUND also where the user may not use what it is reached over, or its server does not have it
     */
    find(user: ModelUser, idOrAlias: string): Promise<Model>;
    /** What the user's connected Ollamas offer, some seconds old at most. */
    connected(user: ModelUser): Promise<Model[]>;
    /** Has models reached over records whose ids begin so: as `<record's id>/<name>`. */
    offer(prefix: SourcePrefix, source: ModelSource): void;
    /** All models that are offered here. */
    all(): Model[];
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
     * time of its own. Nothing is tried again once the answer has begun. What a model is reached over fails with errors
     * of its own (TUNNEL_…, QUOTA_EXCEEDED), which are not tried again: the next model is asked.
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
export { OutputMeter } from './output-meter.ts';
export { pricesAt, knownPriceAt } from './prices.ts';
