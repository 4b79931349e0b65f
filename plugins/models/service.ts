import { ModelCaller } from './call-models.ts';
import { estimateUsage } from './estimate.ts';
import { fitParameters } from './parameters.ts';
import { knownPriceAt } from './prices.ts';
import { KEY_OF, publicModel, type PublicModel } from './public-model.ts';
import { statusCache } from './status-cache.ts';
import { apiError } from '../../src/http/errors.ts';

import type { Model, ModelProvider, ModelService, ProviderKeyService, ProviderName } from './api.ts';
import type { Catalogue } from './catalogue.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { Timeouts } from './supervise.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export interface ModelServiceOptions {
    catalogue: Catalogue;
    providers: Partial<Record<ProviderName, ModelProvider>>;
    keys: ProviderKeyService;
    /** Providers that a call can be paid at: those of the platform's keys, and those that need none. */
    withKey: Set<ProviderName>;
    clock: Clock;
    timeouts: Timeouts;
    breaker: CircuitBreaker;
    /** Where providers are; one without an address has no circuit. */
    baseUrls: Partial<Record<ProviderName, string>>;
    logger: Logger;
}

/** The catalogue and the calls to its models. */
export function createModelService(
    options: ModelServiceOptions,
): ModelService & { list(ownKeys: string[]): PublicModel[] } {
    const { catalogue, providers, keys, withKey, clock, breaker, baseUrls } = options;
    const circuits = Object.fromEntries(
        Object.entries(baseUrls)
            .filter(([provider]) => Object.hasOwn(providers, provider))
            .map(([provider, baseUrl]) => [provider, `${provider}:${new URL(baseUrl).origin}`]),
    );
    const caller = new ModelCaller({ ...options, circuits });
    const offered = catalogue.models.filter(({ provider }) => providers[provider] !== undefined);

    const reasonOf = (model: Model, ownKeys: string[]): PublicModel['reason'] => {
        const key = KEY_OF[model.provider];
        if (key === null || ownKeys.includes(key)) return null;
        if (!withKey.has(model.provider)) return 'PROVIDER_KEY_MISSING';
        // The platform's key is paid from the tenant's credits.
        return knownPriceAt(model, clock()) ? null : 'PRICE_UNKNOWN';
    };

    return {
        version: catalogue.version,
        keys,

        keyName: ({ provider }) => KEY_OF[provider],

        /** @param ownKeys Names of the keys that the user brings */
        list: (ownKeys) => offered.map((model) => publicModel(model, reasonOf(model, ownKeys), clock())),

        all: () => offered,

        usable: (ownKeys) => offered.filter((model) => reasonOf(model, ownKeys) === null),

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
            const { parameters, ignored } = fitParameters(call);
            return { call: { ...call, parameters }, ignoredParameters: ignored };
        },

        open: (calls, signal) => caller.open(calls, signal),

        estimateUsage,

        statuses: statusCache(providers, clock),

        circuits: () => breaker.states(Object.values(circuits)),

        resetCircuit: (name) => breaker.reset(name),
    };
}
