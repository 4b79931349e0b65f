import { once } from 'node:events';

import { Cluster, Redis, type RedisOptions } from 'ioredis';

import { keepConnecting } from './keep-connecting.ts';
import { PLATFORM, tenantKey } from './keys.ts';
import { tellConnected, untilReady } from './tell-connected.ts';
import { writeTogether } from './write-together.ts';

import type { RedisAddress } from './address.ts';
import type { HostPort } from './settings.ts';
import type { Logger } from '../telemetry/logger.ts';

/** How long a command may take, so that requests are told within two seconds that Redis is away. */
const COMMAND_TIMEOUT_MS = 1_500;

/** How long the first answer may take: at the start no request waits, and a machine is at its busiest. */
const FIRST_ANSWER_TIMEOUT_MS = 15_000;

/** Milliseconds until the next try. */
export function reconnectDelay(attempt: number): number {
    return Math.min(50 * 2 ** attempt, 1_000);
}

const OPTIONS = {
    lazyConnect: true,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 5_000,
    // While Redis is away a command fails at once and is not kept for later: the client was told 503, and a change
    // that happens afterwards all the same would be done twice by its retry.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

/** A worker waits for jobs, and while Redis is away for Redis: nobody waits for the worker. */
const WORKER_OPTIONS = {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: null,
    retryStrategy: reconnectDelay,
    reconnectOnError: OPTIONS.reconnectOnError,
} satisfies RedisOptions;

/** One server, the master that sentinels name, or a cluster: commands are the same. */
export type RedisClient = Redis | Cluster;

/** Connects and waits until Redis answers; afterwards the client reconnects by itself, for as long as it takes. */
export const connectRedis = (address: RedisAddress, logger: Logger): Promise<RedisClient> =>
    connect(address, OPTIONS, logger);

/** The same for a worker, whose commands may block and are kept while Redis is away. */
export const connectWorkerRedis = (address: RedisAddress, logger: Logger): Promise<RedisClient> =>
    connect(address, WORKER_OPTIONS, logger);

type Options = typeof OPTIONS | typeof WORKER_OPTIONS;

async function connect(address: RedisAddress, options: Options, logger: Logger): Promise<RedisClient> {
    const redis = 'cluster' in address ? clusterOf(address, options) : serverOf(address, options);
    const warn = (error: Error) => logger.warn({ module: 'redis', err: error }, 'Redis connection failed');
    redis.on('error', warn);
    // Of a cluster each command may try to connect anew.
    redis.on('node error', atMostEach(NODE_WARNING_MS, warn));
    try {
        await (redis instanceof Cluster ? connectCluster(redis) : redis.connect());
    } catch (error) {
        redis.disconnect();
        throw error;
    }
    if (redis instanceof Redis) {
        redis.options.commandTimeout = 'commandTimeout' in options ? options.commandTimeout : undefined;
    }
    if (options === OPTIONS) {
        nodesOf(redis).forEach(writeTogether);
        redis.on('+node', writeTogether);
    }
    reportOutages(redis, logger);
    return redis;
}

async function connectCluster(redis: Cluster): Promise<void> {
    const late = once(AbortSignal.timeout(FIRST_ANSWER_TIMEOUT_MS), 'abort').then(() => {
        throw new Error('The Redis Cluster is not ready');
    });
    await Promise.race([redis.connect(), late]);
    await Promise.all(redis.nodes('master').map(connectNode));
    // Not before it is ready: it asks nodes that are being connected to in vain whether it is.
    redis.on('ready', () => void Promise.all(redis.nodes().map(connectNode)));
    redis.on('+node', (node: Redis) => {
        if (redis.status === 'ready') void connectNode(node);
    });
}

/** Connects to a server before it is asked anything: while one command does so, all others to it would fail. */
async function connectNode(node: Redis): Promise<void> {
    // One that cannot be reached is told of by the cluster.
    if (node.status === 'wait') await node.connect().catch(() => undefined);
    else if (node.status === 'connecting' || node.status === 'connect') {
        await untilReady(node).catch(() => undefined);
    }
}

/** How often all sentinels are asked at the start. */
const SENTINEL_TRIES = 3;

function serverOf(address: Exclude<RedisAddress, { cluster: unknown }>, options: Options): Redis {
    const first = { ...options, commandTimeout: FIRST_ANSWER_TIMEOUT_MS };
    if ('path' in address) return new Redis(address.path, first);
    if ('url' in address) {
        const { url, tls: _byItsScheme, ...access } = address;
        return new Redis(url, { ...first, ...access });
    }
    const { sentinelPassword, ...place } = address;
    let hasBeenReady = false;
    const redis = new Redis({
        ...first,
        ...place,
        ...(sentinelPassword !== undefined && { sentinelPassword }),
        ...(place.tls && { enableTLSForSentinelMode: true, sentinelTLS: place.tls }),
        // Sentinels tell of a new master: nobody waits until the old one breaks its connections off.
        failoverDetector: true,
        // At the start nobody would end a wait for sentinels that there are none of.
        sentinelRetryStrategy: (attempt) => (hasBeenReady || attempt < SENTINEL_TRIES ? reconnectDelay(attempt) : null),
        // One that takes connections and does not answer must not keep the others from being asked.
        sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    });
    return keepConnecting(redis.once('ready', () => (hasBeenReady = true)));
}

const NODE_WARNING_MS = 5_000;

/** Calls so often at most; the calls between are left out. */
function atMostEach<T>(everyMs: number, call: (told: T) => void): (told: T) => void {
    let calledAt = -Infinity;
    return (told) => {
        if (performance.now() - calledAt < everyMs) return;
        calledAt = performance.now();
        call(told);
    };
}

/** How often a client asks who holds which slots: after a failover nobody else tells it while commands fail. */
const SLOTS_REFRESH_MS = 1_000;

function clusterOf({ cluster, ...access }: Extract<RedisAddress, { cluster: unknown }>, options: Options): Cluster {
    const { retryStrategy: _ofEachNode, lazyConnect, ...each } = options;
    const isKept = options === WORKER_OPTIONS;
    const redis = new Cluster(cluster, {
        lazyConnect,
        clusterRetryStrategy: reconnectDelay,
        slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
        enableOfflineQueue: isKept,
        // A command may have been done by the node that is gone: only a worker's are sent again.
        ...(!isKept && { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 }),
        redisOptions: { ...each, ...access },
        // By their addresses, as the client would look them up, certificates of names do not hold.
        ...(access.tls && { dnsLookup: (name, callback) => callback(null, name) }),
    });
    // The client's own timer is set once more when it is closed while it asks, and keeps the process for good.
    const timer = setInterval(() => {
        if (redis.status === 'ready') redis.refreshSlotsCache();
    }, SLOTS_REFRESH_MS).unref();
    return tellConnected(redis.once('end', () => clearInterval(timer)));
}

/** One line when Redis goes away and one when it is back, however often it is tried in between. */
function reportOutages(redis: RedisClient, logger: Logger): void {
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

/**
 * A connection of its own that listens to channels; made when it is first used, and again whenever it is lost, with
 * what it listened to. In a cluster any server will do, and another one is tried each time: the client's own way to
 * listen there tries without a pause.
 */
export function subscriberOf(redis: RedisClient): Redis {
    const options = { lazyConnect: true, enableOfflineQueue: true, maxRetriesPerRequest: null };
    if (redis instanceof Redis) return redis.duplicate(options);
    // All that were ever known: the client forgets those that it does not reach.
    const known = new Map<string, HostPort>();
    const place = (): HostPort => {
        for (const { options } of redis.nodes()) {
            const { host = '', port = 0 } = options;
            known.set(`${host}:${port}`, { host, port });
        }
        const places = [...known.values()];
        return places[Math.floor(Math.random() * places.length)] ?? { host: 'localhost', port: 0 };
    };
    const retryStrategy = (attempt: number): number => {
        Object.assign(subscriber.options, place());
        return reconnectDelay(attempt);
    };
    const { replyMapping: _ofNoMessage, ...each } = redis.options.redisOptions ?? {};
    const subscriber: Redis = new Redis({ ...each, ...options, ...place(), retryStrategy });
    return subscriber;
}

/** Resolves when Redis answers: of a cluster the server that has what is the platform's, without which nothing goes. */
export const answers = async (redis: RedisClient): Promise<void> =>
    void (await redis.exists(tenantKey(PLATFORM, 'info')));

/** The servers that the client is connected to. */
export const nodesOf = (redis: RedisClient): Redis[] => (redis instanceof Cluster ? redis.nodes() : [redis]);

/** Who takes writes: the masters of a cluster, or the one server. */
export const mastersOf = (redis: RedisClient): Redis[] => (redis instanceof Cluster ? redis.nodes('master') : [redis]);

/** How many connections listen to a channel; of a cluster, at all of its servers that answer. */
export async function listenersOf(redis: RedisClient, channel: string): Promise<number> {
    const told = await Promise.allSettled(nodesOf(redis).map((server) => server.pubsub('NUMSUB', channel)));
    return told.reduce((sum, answer) => sum + (answer.status === 'fulfilled' ? Number(answer.value[1] ?? 0) : 0), 0);
}

/** The keys that match a pattern, on all servers, a batch at a time; one may come twice. For no request: it reads all. */
export async function* scanKeys(redis: RedisClient, pattern: string, count: number): AsyncGenerator<string[]> {
    for (const server of mastersOf(redis)) {
        let cursor = '0';
        do {
            const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', count);
            if (keys.length > 0) yield keys;
            cursor = next;
        } while (cursor !== '0');
    }
}

/** What a command fails with that Redis has not done, or of which nobody knows whether it has. */
const UNAVAILABLE =
    /^(Connection is closed|Command timed out|Command aborted due to connection close|Stream isn't writeable|Cluster isn't ready|Cluster is ended|None of startup nodes|Failed to refresh slots|Too many Cluster redirections|All sentinels are unreachable|LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|MISCONF|OOM|BUSY)\b/;

/** Whether an error means that Redis could not do its work, and not that the command was wrong. */
export const isStoreUnavailable = (error: unknown): boolean =>
    error instanceof Error && (UNAVAILABLE.test(error.message) || error.name === 'MaxRetriesPerRequestError');

/**
 * Refuses servers that evict keys: they would throw away tenants and balances when their memory is full.
 *
 * @throws {Error} That says how to mend it
 */
export async function checkEviction(redis: RedisClient, isAllowed: boolean): Promise<void> {
    const told = await Promise.all(mastersOf(redis).map((server) => server.info('memory')));
    const policies = told.map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown');
    const evicting = policies.find((policy) => policy !== 'noeviction');
    if (evicting === undefined || isAllowed) return;
    throw new Error(
        `Redis evicts keys when its memory is full (maxmemory-policy ${evicting}) and is the only datastore: ` +
            'set maxmemory-policy noeviction on the server, or REDIS_ALLOW_EVICTION=true to take the loss.',
    );
}
