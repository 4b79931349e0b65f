import { Agent } from 'undici';

import { loadCatalogue } from './catalogue.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { gaugeCircuits } from './circuit-gauge.ts';
import { createCircuitStore } from './circuit-store.ts';
import { createKeyChecks } from './key-checks.ts';
import { createKeyService } from './key-service.ts';
import { cachedLook, LoadService } from './load-service.ts';
import { LoadStore } from './load-store.ts';
import { Loads } from './loads.ts';
import { anthropic } from './providers/anthropic.ts';
import { google } from './providers/google.ts';
import { OllamaModels } from './providers/ollama-models.ts';
import { ollama } from './providers/ollama.ts';
import { openAi } from './providers/openai.ts';
import { overHttp } from './providers/over-http.ts';
import { sandbox } from './providers/sandbox.ts';
import { RelayedModels } from './relayed-models.ts';
import { getModelStatus } from './routes/get-model-status.ts';
import { listModels } from './routes/list-models.ts';
import { loadModel } from './routes/load-model.ts';
import { streamLoad } from './routes/stream-load.ts';
import { unloadModel } from './routes/unload-model.ts';
import { createModelService } from './service.ts';
import { ProviderKeyStore } from './store.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Plugin, Server } from '@hapi/hapi';
import type { ModelProvider, ModelService, ProviderName } from './api.ts';
import type { LocalModels } from './local-models.ts';
import type { Platform } from '../../src/platform.ts';

/** Providers that want a key, the platform's or the user's. */
const KEYED = ['anthropic', 'openai', 'google'] as const;

const CIRCUIT_POLICY = { failures: 5, windowMs: 60_000, openMs: 60_000, successes: 2 };
const PROBE_GRACE_MS = 5_000;

export const models: Plugin<Platform> = {
    name: 'models',
    dependencies: ['auth', 'users'],
    register: (server, platform) => {
        const { config, store, vault, clock, logger, metrics } = platform;
        const {
            ANTHROPIC_BASE_URL,
            OPENAI_BASE_URL,
            GOOGLE_BASE_URL,
            OLLAMA_URL,
            PROVIDER_KEYS_SHARED: shared,
        } = config;
        // The deadlines are the service's: an answer may well pause for longer than a connection's default.
        const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connectTimeout: 5_000 });
        const at = (baseUrl: string) => overHttp(dispatcher, baseUrl);
        const providers: Partial<Record<ProviderName, ModelProvider>> = {
            anthropic: anthropic({ send: at(ANTHROPIC_BASE_URL), apiKey: shared.anthropic }),
            google: google({ send: at(GOOGLE_BASE_URL), apiKey: shared.google }),
            ollama: ollama({ send: at(OLLAMA_URL) }),
            openai: openAi({ send: at(OPENAI_BASE_URL), apiKey: shared.openai }),
            ...(config.SANDBOX_MODEL && { sandbox: sandbox(config.SANDBOX_TOKEN_DELAY_MS) }),
        };
        const { users } = server.plugins;
        const keys = createKeyService(new ProviderKeyStore(store, users), vault, createKeyChecks(dispatcher, config));
        users.backUpWith((tenantId, userId) => [keys.key({ tenantId, userId })]);
        users.destroyWith((tenantId, userId) => [keys.key({ tenantId, userId })]);
        const timeouts = {
            first: config.MODEL_FIRST_TOKEN_TIMEOUT * 1000,
            total: config.MODEL_ANSWER_TIMEOUT * 1000,
        };
        const relayed = new RelayedModels(clock);
        const service = createModelService({
            keys,
            relayed,
            catalogue: loadCatalogue(config.CATALOGUE_FILE),
            providers,
            withKey: new Set<ProviderName>(['ollama', 'sandbox', ...KEYED.filter((name) => shared[name])]),
            clock,
            timeouts,
            logger,
            metrics,
            breaker: new CircuitBreaker({
                store: createCircuitStore(store, CIRCUIT_POLICY),
                clock,
                logger,
                // A probe that is not known to have ended by then has died with its process.
                leaseMs: timeouts.first + PROBE_GRACE_MS,
            }),
            baseUrls: {
                anthropic: ANTHROPIC_BASE_URL,
                openai: OPENAI_BASE_URL,
                google: GOOGLE_BASE_URL,
                ollama: OLLAMA_URL,
            },
        });
        server.expose(service);
        gaugeCircuits(metrics, service);
        server.route(listModels(service));
        serveLoads(server, platform, { models: service, relayed, local: new OllamaModels(at(OLLAMA_URL)) });
        // Not waited for: answers that outlive their client end with the drain, and keep their connection until then.
        server.ext('onPostStop', () => void dispatcher.close());
    },
};

interface LoadedModels {
    models: ModelService;
    relayed: RelayedModels;
    local: LocalModels;
}

/** The routes of models that are loaded before they answer. */
function serveLoads(server: Server, platform: Platform, { models, relayed, local }: LoadedModels): void {
    const { config, signals, clock, drain, logger } = platform;
    const store = new LoadStore(platform.store);
    const look = cachedLook(local, clock);
    const parts = { store, local, mayPull: config.OLLAMA_PULL, appendOutbox: appendOutbox(platform.store) };
    const loads = new Loads({ ...parts, drain, logger, onChange: () => look.forget() });
    const service = new LoadService({ ...parts, models, relayed, loads, signals, look });
    server.route(getModelStatus(service));
    server.route(loadModel(service));
    server.route(streamLoad(service));
    server.route(unloadModel(service));
    server.ext('onPostStop', () => loads.stop());
}
