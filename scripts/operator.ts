import { withRedis } from './with-redis.ts';
import { Drain } from '../src/drain.ts';
import { openJobs } from '../src/jobs/jobs.ts';
import { createDatastore } from '../src/redis/datastore.ts';
import { Signals } from '../src/redis/signals.ts';
import { Passwords } from '../src/security/passwords.ts';
import { Vault } from '../src/security/vault.ts';
import { createServer } from '../src/server.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { Metrics } from '../src/telemetry/metrics.ts';

import type { Server } from '@hapi/hapi';
import type { Config } from '../src/config.ts';

/** The features over the configured Redis, for a command: nothing listens, and no jobs are taken. */
export function withFeatures<T>(config: Config, act: (server: Server) => Promise<T>): Promise<T> {
    const logger = createLogger({ level: 'silent', pretty: false });
    return withRedis(config, logger, async (redis, address) => {
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
                metrics: new Metrics(),
                passwords: new Passwords(config.BCRYPT_COST),
            });
            return await act(server);
        } finally {
            drain.begin();
            await drain.finish(AbortSignal.timeout(5_000));
            await jobs.close();
            signals.close();
        }
    });
}
