import { Drain } from './drain.ts';
import { openJobs } from './jobs/jobs.ts';
import { createDatastore } from './redis/datastore.ts';
import { Replication } from './redis/replication.ts';
import { Signals } from './redis/signals.ts';
import { Passwords } from './security/passwords.ts';
import { Vault } from './security/vault.ts';
import { Metrics } from './telemetry/metrics.ts';

import type { Config } from './config.ts';
import type { Platform } from './platform.ts';
import type { RedisAddress } from './redis/address.ts';
import type { RedisClient } from './redis/client.ts';
import type { Logger } from './telemetry/logger.ts';

/** What a process has before anything else. */
export interface Ground {
    config: Config;
    logger: Logger;
    redis: RedisClient;
    /** Where jobs get a connection of their own. */
    address: RedisAddress;
}

/**
 * What every feature stands on, over an open Redis, with what the caller has in place of the usual. Whoever composes it
 * ends it: its drain, its jobs and its signals.
 */
export function composePlatform({ config, logger, redis, address }: Ground, given: Partial<Platform> = {}): Platform {
    const { metrics = new Metrics(), store = createDatastore(redis, config.METRICS ? { metrics } : {}) } = given;
    const replicas = config.REDIS_WAIT_REPLICAS;
    return {
        ...(replicas > 0 && { replication: new Replication(redis, replicas) }),
        signals: new Signals(redis, logger),
        vault: new Vault(config.VAULT_KEYS),
        clock: Date.now,
        drain: new Drain(),
        jobs: openJobs(address, logger, given.tracing),
        passwords: new Passwords(config.BCRYPT_COST),
        ...given,
        config,
        logger,
        metrics,
        store,
    };
}
