import { estimateUsage, isCredible } from './estimate.ts';
import { KEY_OF, publicModel, type PublicModel } from './public-model.ts';
import { statusCache } from './status-cache.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';

import type {
    ModelCall,
    ModelProvider,
    ModelService,
    ProviderKeyService,
    ProviderName,
    StreamPart,
    Usage,
} from './api.ts';
import type { Catalogue } from './catalogue.ts';
import type { Clock } from '../../src/clock.ts';

export interface ModelServiceOptions {
    catalogue: Catalogue;
    providers: Partial<Record<ProviderName, ModelProvider>>;
    keys: ProviderKeyService;
    /** Providers that a call can be paid at: those of the platform's keys, and those that need none. */
    withKey: Set<ProviderName>;
    clock: Clock;
    /** Milliseconds until the first part of an answer, and for the whole of it. */
    timeouts: { first: number; total: number };
}

/** The catalogue and the calls to its models. */
export function createModelService(
    options: ModelServiceOptions,
): ModelService & { list(ownKeys: string[]): PublicModel[] } {
    const { catalogue, providers, keys, withKey, clock, timeouts } = options;
    const offered = catalogue.models.filter(({ provider }) => providers[provider] !== undefined);

    return {
        keys,

        keyName: ({ provider }) => KEY_OF[provider],

        /** @param ownKeys Names of the keys that the user brings */
        list: (ownKeys) =>
            offered.map((model) => {
                const hasKey = withKey.has(model.provider) || ownKeys.includes(KEY_OF[model.provider] ?? '');
                return publicModel(model, hasKey, clock());
            }),

        get(idOrAlias) {
            const model = catalogue.find(idOrAlias);
            if (!model || !providers[model.provider]) {
                throw apiError('MODEL_NOT_FOUND', { details: { model: idOrAlias } });
            }
            return model;
        },

        prepare(call) {
            if (call.apiKey === undefined && !withKey.has(call.model.provider)) {
                throw apiError('PROVIDER_KEY_MISSING', { details: { provider: call.model.provider } });
            }
            const { temperature, ...rest } = call;
            if (temperature === undefined) return { call, ignoredParameters: [] };
            const range = call.model.parameters.temperature;
            if (range === false) return { call: rest, ignoredParameters: ['temperature'] };
            checkRange(temperature, range);
            return { call, ignoredParameters: [] };
        },

        stream(call, signal) {
            const provider = providers[call.model.provider];
            if (!provider) throw apiError('MODEL_NOT_FOUND', { details: { model: call.model.id } });
            return supervised(provider, call, signal, timeouts);
        },

        estimateUsage,

        statuses: statusCache(providers, clock),
    };
}

function checkRange(temperature: number, { min, max }: { min: number; max: number }): void {
    if (temperature >= min && temperature <= max) return;
    throw apiError('VALIDATION_ERROR', {
        details: { fields: { temperature: `must be between ${min} and ${max} for this model` } },
    });
}

/** A provider's parts, kept to the contract: deadlines, one usage, one finish, and our errors only. */
async function* supervised(
    provider: ModelProvider,
    call: ModelCall,
    signal: AbortSignal,
    timeouts: ModelServiceOptions['timeouts'],
): AsyncGenerator<StreamPart> {
    const deadline = new AbortController();
    const expire = () => deadline.abort(apiError('PROVIDER_TIMEOUT'));
    let waiting = setTimeout(expire, timeouts.first);
    const total = setTimeout(expire, timeouts.total);
    let text = '';
    let thoughts = '';
    let usage: Usage | undefined;
    let finish: StreamPart | undefined;
    try {
        for await (const part of provider.stream(call, AbortSignal.any([signal, deadline.signal]))) {
            if (part.type === 'usage') {
                usage = part.usage;
                continue;
            }
            clearTimeout(waiting);
            if (part.type === 'finish') {
                finish = part;
                // Only its usage may still come: that is waited for no longer than a first token.
                waiting = setTimeout(expire, timeouts.first);
            } else {
                if (part.type === 'text') text += part.delta;
                else if (part.type === 'reasoning') thoughts += part.delta;
                yield part;
            }
        }
        if (!finish) throw new Error('The provider ended its answer in the middle');
    } catch (error) {
        signal.throwIfAborted();
        // Past its finish the answer is whole, whatever becomes of the connection.
        if (!finish) throw failure(error, deadline.signal);
    } finally {
        clearTimeout(waiting);
        clearTimeout(total);
    }
    const told = usage && isCredible(usage, text + thoughts) ? usage : null;
    yield { type: 'usage', usage: told ?? estimateUsage(call, text, thoughts) };
    yield finish;
}

function failure(error: unknown, deadline: AbortSignal): unknown {
    if (deadline.aborted) return deadline.reason;
    return isApiError(error) ? error : apiError('PROVIDER_ERROR', { cause: error });
}
