import { CallMeter } from './call-meter.ts';
import { ModelCaller } from './call-models.ts';
import { estimateUsage } from './estimate.ts';
import { fitParameters } from './parameters.ts';
import { knownPriceAt } from './prices.ts';
import { KEY_OF, publicModel, type PublicModel } from './public-model.ts';
import { isRelayed } from './relayed-model.ts';
import { statusCache } from './status-cache.ts';
import { apiError } from '../../src/http/errors.ts';

import type { Model, ModelProvider, ModelService, ProviderKeyService, ProviderName } from './api.ts';
import type { Catalogue } from './catalogue.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { RelayedModels } from './relayed-models.ts';
import type { Timeouts } from './supervise.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import type { Actor } from '../../src/types/actor.ts';

export interface ModelServiceOptions {
    catalogue: Catalogue;
    providers: Partial<Record<ProviderName, ModelProvider>>;
    keys: ProviderKeyService;
    relayed: RelayedModels;
    /** Providers that a call can be paid at: those of the platform's keys, and those that need none. */
    withKey: Set<ProviderName>;
    clock: Clock;
    timeouts: Timeouts;
    breaker: CircuitBreaker;
    /** Where providers are; one without an address has no circuit. */
    baseUrls: Partial<Record<ProviderName, string>>;
    logger: Logger;
    metrics: Metrics;
}

export interface ListedModels {
    list(actor: Actor): Promise<PublicModel[]>;
}

/** The catalogue and the calls to its models. */
export function createModelService(options: ModelServiceOptions): ModelService & ListedModels {
    const { catalogue, providers, keys, relayed, withKey, clock, breaker, baseUrls } = options;
    const circuits = Object.fromEntries(
        Object.entries(baseUrls)
            .filter(([provider]) => Object.hasOwn(providers, provider))
            .map(([provider, baseUrl]) => [provider, `${provider}:${new URL(baseUrl).origin}`]),
    );
    const caller = new ModelCaller({ ...options, circuits, meter: new CallMeter(options.metrics, catalogue.models) });
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

        async list(actor) {
            const models = [...offered, ...(await relayed.list(actor))];
            return models.map((model) => publicModel(model, reasonOf(model, actor.providerKeys), clock()));
        },

        all: () => offered,

        usable: (ownKeys) => offered.filter((model) => reasonOf(model, ownKeys) === null),

        ...lookUps(options),

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

type LookUps = Pick<ModelService, 'get' | 'find' | 'connected' | 'offer'>;

/** Models by name: of the catalogue, and of users' own servers. */
function lookUps({ catalogue, providers, relayed }: ModelServiceOptions): LookUps {
    const get = (idOrAlias: string): Model => {
        const model = catalogue.find(idOrAlias) ?? relayed.get(idOrAlias);
        if (!model || !providers[model.provider]) {
            throw apiError('MODEL_NOT_FOUND', { details: { model: idOrAlias } });
        }
        return model;
    };
    return {
        get,
        async find(user, idOrAlias) {
            const model = get(idOrAlias);
            return isRelayed(model) ? relayed.find(user, model) : model;
        },
        connected: (user) => relayed.list(user),
        offer: (prefix, source) => relayed.offer(prefix, source),
    };
}
