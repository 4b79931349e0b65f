import { join } from 'node:path';

import { configuredAddress, type RedisAddress } from '../src/redis/address.ts';
import { connectRedis, type RedisClient } from '../src/redis/client.ts';
import { startEmbeddedRedis } from '../src/redis/embedded.ts';

import type { Config } from '../src/config.ts';
import type { Logger } from '../src/telemetry/logger.ts';

type Act<T> = (redis: RedisClient, address: RedisAddress) => Promise<T>;

/** For a command: the configured Redis, or that of the data directory, of the API that runs or started for this. */
export async function withRedis<T>(config: Config, logger: Logger, act: Act<T>): Promise<T> {
    const connected = async (address: RedisAddress): Promise<T> =>
        use(await connectRedis(address, logger), address, act);
    const configured = configuredAddress(config);
    if (configured) return connected(configured);
    const { DATA_DIR } = config;
    const running = { path: join(DATA_DIR, 'redis.sock') };
    const redis = await connectRedis(running, logger).catch(() => null);
    if (redis) return use(redis, running, act);
    const embedded = await startEmbeddedRedis(DATA_DIR, logger);
    try {
        return await connected({ path: embedded.path });
    } finally {
        await embedded.stop();
    }
}

async function use<T>(redis: RedisClient, address: RedisAddress, act: Act<T>): Promise<T> {
    try {
        return await act(redis, address);
    } finally {
        redis.disconnect();
    }
}
