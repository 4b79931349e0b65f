import { join } from 'node:path';

import { connectRedis, type RedisAddress } from '../src/redis/client.ts';
import { startEmbeddedRedis } from '../src/redis/embedded.ts';

import type { Redis } from 'ioredis';
import type { Config } from '../src/config.ts';
import type { Logger } from '../src/telemetry/logger.ts';

type Act<T> = (redis: Redis, address: RedisAddress) => Promise<T>;

/** For a command: the Redis of REDIS_URL, or that of the data directory, of the API that runs or started for this. */
export async function withRedis<T>({ REDIS_URL, DATA_DIR }: Config, logger: Logger, act: Act<T>): Promise<T> {
    const connected = async (address: RedisAddress): Promise<T> =>
        use(await connectRedis(address, logger), address, act);
    if (REDIS_URL !== undefined) return connected({ url: REDIS_URL });
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

async function use<T>(redis: Redis, address: RedisAddress, act: Act<T>): Promise<T> {
    try {
        return await act(redis, address);
    } finally {
        redis.disconnect();
    }
}
