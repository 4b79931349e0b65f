import { Redis, type RedisOptions } from 'ioredis';

import type { Logger } from '../telemetry/logger.ts';

/** How long a command may take, so that requests are told within two seconds that Redis is away. */
const COMMAND_TIMEOUT_MS = 1_500;

/** How long the first answer may take: at the start no request waits, and a machine is at its busiest. */
const FIRST_ANSWER_TIMEOUT_MS = 15_000;

const OPTIONS = {
    lazyConnect: true,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 5_000,
    // While Redis is away a command fails at once and is not kept for later: the client was told 503, and a change
    // that happens afterwards all the same would be done twice by its retry.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 1_000),
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

/** Where Redis is: a URL, or the path of a unix socket. */
export type RedisAddress = { url: string } | { path: string };

/** A worker waits for jobs, and while Redis is away for Redis: nobody waits for the worker. */
const WORKER_OPTIONS = {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: null,
    retryStrategy: OPTIONS.retryStrategy,
    reconnectOnError: OPTIONS.reconnectOnError,
} satisfies RedisOptions;

/** Connects and waits until Redis answers; afterwards the client reconnects by itself, for as long as it takes. */
export const connectRedis = (address: RedisAddress, logger: Logger): Promise<Redis> =>
    connect(address, OPTIONS, logger);

/** The same for a worker, whose commands may block and are kept while Redis is away. */
export const connectWorkerRedis = (address: RedisAddress, logger: Logger): Promise<Redis> =>
    connect(address, WORKER_OPTIONS, logger);

type Options = typeof OPTIONS | typeof WORKER_OPTIONS;

async function connect(address: RedisAddress, options: Options, logger: Logger): Promise<Redis> {
    const first = { ...options, commandTimeout: FIRST_ANSWER_TIMEOUT_MS };
    const redis = new Redis('url' in address ? address.url : address.path, first);
    redis.on('error', (error: Error) => logger.warn({ module: 'redis', err: error }, 'Redis connection failed'));
    try {
        await redis.connect();
    } catch (error) {
        redis.disconnect();
        throw error;
    }
    redis.options.commandTimeout = 'commandTimeout' in options ? options.commandTimeout : undefined;
    reportOutages(redis, logger);
    return redis;
}

/** One line when Redis goes away and one when it is back, however often it is tried in between. */
function reportOutages(redis: Redis, logger: Logger): void {
    let isAway = false;
    redis.on('reconnecting', () => {
        if (!isAway) logger.warn({ module: 'redis' }, 'Redis is away');
        isAway = true;
    });
    redis.on('ready', () => {
        isAway = false;
        logger.info({ module: 'redis' }, 'Redis is back');
    });
}

/** Whether an error means that Redis could not do its work, and not that the command was wrong. */
export function isStoreUnavailable(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    return (
        /^(Connection is closed|Command timed out|Stream isn't writeable|LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|MISCONF|OOM|BUSY)/.test(
            error.message,
        ) || error.name === 'MaxRetriesPerRequestError'
    );
}

/**
 * Refuses a server that evicts keys: it would throw away tenants and balances when its memory is full.
 *
 * @throws {Error} That says how to mend it
 */
export async function checkEviction(redis: Redis, isAllowed: boolean): Promise<void> {
    const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1] ?? 'unknown';
    if (policy === 'noeviction' || isAllowed) return;
    throw new Error(
        `Redis evicts keys when its memory is full (maxmemory-policy ${policy}) and is the only datastore: ` +
            'set maxmemory-policy noeviction on the server, or REDIS_ALLOW_EVICTION=true to take the loss.',
    );
}
