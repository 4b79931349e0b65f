import { withRedis } from './with-redis.ts';
import { composePlatform } from '../src/compose-platform.ts';
import { checkSchema } from '../src/redis/migrate.ts';
import { createServer } from '../src/server.ts';
import { createLogger } from '../src/telemetry/logger.ts';

import type { Server } from '@hapi/hapi';
import type { Config } from '../src/config.ts';

/** The features over the configured Redis, for a command: nothing listens, and no jobs are taken. */
export function withFeatures<T>(config: Config, act: (server: Server) => Promise<T>): Promise<T> {
    const logger = createLogger({ level: 'silent', pretty: false });
    return withRedis(config, logger, async (redis, address) => {
        const platform = composePlatform({ config, logger, redis, address });
        const { drain, jobs, signals } = platform;
        try {
            await checkSchema({ store: platform.store, program: config.VERSION });
            return await act(await createServer(platform));
        } finally {
            drain.begin();
            await drain.finish(AbortSignal.timeout(5_000));
            await jobs.close();
            signals.close();
        }
    });
}
