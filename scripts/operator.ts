import { join } from 'node:path';

import { Drain } from '../src/drain.ts';
import { openJobs } from '../src/jobs/jobs.ts';
import { connectRedis, type RedisAddress } from '../src/redis/client.ts';
import { createDatastore } from '../src/redis/datastore.ts';
import { startEmbeddedRedis } from '../src/redis/embedded.ts';
import { Signals } from '../src/redis/signals.ts';
import { Passwords } from '../src/security/passwords.ts';
import { Vault } from '../src/security/vault.ts';
import { createServer } from '../src/server.ts';
import { createLogger, type Logger } from '../src/telemetry/logger.ts';

import type { Server } from '@hapi/hapi';
import type { Config } from '../src/config.ts';

/** The Redis of REDIS_URL, or that of the data directory: through the running API's socket, or started for this. */
async function findRedis(
    { REDIS_URL, DATA_DIR }: Config,
    logger: Logger,
): Promise<{ address: RedisAddress; stop?: () => Promise<void> }> {
    if (REDIS_URL !== undefined) return { address: { url: REDIS_URL } };
    const running = { path: join(DATA_DIR, 'redis.sock') };
    const redis = await connectRedis(running, logger).catch(() => null);
    if (redis) {
        redis.disconnect();
        return { address: running };
    }
    const embedded = await startEmbeddedRedis(DATA_DIR, logger);
    return { address: { path: embedded.path }, stop: () => embedded.stop() };
}

/** The features over the configured Redis, for a command: nothing listens, and no jobs are taken. */
export async function withFeatures<T>(config: Config, act: (server: Server) => Promise<T>): Promise<T> {
    const logger = createLogger({ level: 'silent', pretty: false });
    const { address, stop } = await findRedis(config, logger);
    try {
        const redis = await connectRedis(address, logger);
        const jobs = openJobs(address, logger);
        const signals = new Signals(redis, logger);
        const drain = new Drain();
        try {
            const server = await createServer({
                config,
                store: createDatastore(redis),
                signals,
                vault: new Vault(config.VAULT_KEYS),
                clock: Date.now,
                logger,
                drain,
                jobs,
                passwords: new Passwords(config.BCRYPT_COST),
            });
            return await act(server);
        } finally {
            drain.begin();
            await drain.finish(AbortSignal.timeout(5_000));
            await jobs.close();
            signals.close();
            redis.disconnect();
        }
    } finally {
        await stop?.();
    }
}
