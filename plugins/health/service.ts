import { apiError } from '../../src/http/errors.ts';
import { answers } from '../../src/redis/client.ts';

import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config.ts';
import type { Drain } from '../../src/drain.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { StoreMemory } from '../../src/redis/memory-watch.ts';
import type { CircuitState, ModelService } from '../models/api.ts';
import type { OperationsPort } from '../operations/api.ts';

export interface HealthParts {
    config: Config;
    store: Datastore;
    drain: Drain;
    clock: Clock;
    memory: StoreMemory;
    models: ModelService;
    operations: Pick<OperationsPort, 'settings'>;
}

export type HealthService = ReturnType<typeof createHealthService>;

/** Whether the process lives, may be sent requests, and how what it leans on is. */
export function createHealthService({ config, store, drain, clock, memory, models, operations }: HealthParts) {
    const startedAt = clock();

    const redisLatency = async (): Promise<number | null> => {
        const began = performance.now();
        return answers(store.redis).then(
            () => Math.round((performance.now() - began) * 100) / 100,
            () => null,
        );
    };

    return {
        /** @throws SHUTTING_DOWN, STORE_UNAVAILABLE */
        async checkReady(): Promise<void> {
            if (drain.isLeaving) throw apiError('SHUTTING_DOWN');
            if ((await redisLatency()) === null) throw apiError('STORE_UNAVAILABLE');
        },

        async report() {
            const [latency, { ollama, sandbox: _builtIn, ...external }, circuits] = await Promise.all([
                redisLatency(),
                models.statuses(),
                models.circuits().then(worstByProvider),
            ]);
            const isDegraded =
                memory.isFull ||
                Object.values(external).some(({ status }) => status === 'unreachable') ||
                Object.values(circuits).some(({ state }) => state === 'open');
            return {
                status: latency === null ? 'unhealthy' : isDegraded ? 'degraded' : 'healthy',
                uptime: Math.floor((clock() - startedAt) / 1000),
                services: {
                    database: {
                        status: latency === null ? 'unhealthy' : 'healthy',
                        provider: 'redis',
                        latency,
                        memory: { used: memory.used, isFull: memory.isFull },
                    },
                    ollama: ollama ?? { status: 'not_configured' },
                    externalApis: Object.fromEntries(
                        Object.entries(external).map(([name, { status }]) => [name, status]),
                    ),
                },
                circuits,
                maintenance: operations.settings().maintenance,
                version: config.VERSION,
                environment: config.NODE_ENV,
            };
        },

        version: () => ({
            version: config.VERSION,
            buildTime: config.BUILD_TIME,
            commit: config.BUILD_COMMIT,
            environment: config.NODE_ENV,
        }),
    };
}

const GRAVITY = ['closed', 'half_open', 'open'];

/** The worst circuit of each provider: where its endpoints are is nobody's business here. */
function worstByProvider(circuits: Record<string, CircuitState>): Record<string, CircuitState> {
    const worst: Record<string, CircuitState> = {};
    for (const [name, circuit] of Object.entries(circuits)) {
        const provider = name.slice(0, name.indexOf(':'));
        const known = worst[provider];
        if (!known || GRAVITY.indexOf(circuit.state) > GRAVITY.indexOf(known.state)) worst[provider] = circuit;
    }
    return worst;
}
