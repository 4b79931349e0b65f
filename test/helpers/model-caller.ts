import { randomBytes } from 'node:crypto';

import { adapterOf } from './adapter.ts';
import { testConfig } from './app.ts';
import { sharedRedis } from './redis.ts';
import { CallMeter } from '../../plugins/models/call-meter.ts';
import { ModelCaller, type ModelCallerOptions } from '../../plugins/models/call-models.ts';
import { CircuitBreaker } from '../../plugins/models/circuit-breaker.ts';
import { createCircuitStore } from '../../plugins/models/circuit-store.ts';
import { connectRedis } from '../../src/redis/client.ts';
import { createDatastore } from '../../src/redis/datastore.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

export interface TestCaller {
    caller: ModelCaller;
    /** Everything that was logged, a parsed line each. */
    logs: Record<string, unknown>[];
    stop: () => void;
}

export interface CallerOptions extends Partial<ModelCallerOptions> {
    /** Where OpenAI and Ollama are. */
    openai: string;
    ollama?: string;
}

/** The calls of models as the program makes them, with circuits that no other test has. */
export async function newCaller({ openai, ollama = openai, ...options }: CallerOptions): Promise<TestCaller> {
    const logs: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };
    const logger = createLogger({ level: 'info', pretty: false, destination });
    const redis = await connectRedis({ path: (await sharedRedis()).path }, logger);
    const policy = { failures: 5, windowMs: 60_000, openMs: 60_000, successes: 2 };
    const store = createCircuitStore(createDatastore(redis), policy);
    const config = {
        ...testConfig(),
        OPENAI_BASE_URL: openai,
        OLLAMA_URL: ollama,
        PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-test' },
    };
    const mark = randomBytes(6).toString('hex');
    const caller = new ModelCaller({
        providers: { openai: adapterOf(config, 'openai'), ollama: adapterOf(config, 'ollama') },
        circuits: { openai: `openai:${mark}`, ollama: `ollama:${mark}` },
        breaker: new CircuitBreaker({ store, clock: Date.now, logger, leaseMs: 35_000 }),
        timeouts: { first: 30_000, total: 300_000 },
        logger,
        meter: new CallMeter(new Metrics(), []),
        ...options,
    });
    return { caller, logs, stop: () => redis.disconnect() };
}
