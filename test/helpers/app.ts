import { randomBytes } from 'node:crypto';

import { temporaryFolder } from './folder.ts';
import { connectPatiently, sharedRedis, theServer } from './redis.ts';
import { noteFailures, noteRefusals } from './seen-codes.ts';
import { composePlatform } from '../../src/compose-platform.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { meterJobs } from '../../src/jobs/job-meter.ts';
import { startJobWorker, type JobWatch } from '../../src/jobs/worker.ts';
import { connectRedis } from '../../src/redis/client.ts';
import { createDatastore, type Datastore } from '../../src/redis/datastore.ts';
import { createServer } from '../../src/server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { processorsOf, startLoops } from '../../src/worker.ts';

import type { Server, ServerInjectOptions } from '@hapi/hapi';
import type { Redis } from 'ioredis';
import type { Drain } from '../../src/drain.ts';
import type { Platform } from '../../src/platform.ts';
import type { RedisAddress } from '../../src/redis/address.ts';
import type { ErrorReports } from '../../src/telemetry/error-reports.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';

export const PLATFORM_ADMIN = { email: 'admin@platform.local', password: 'a password for the platform' };

/** An answer as a client sees it. */
export interface Answer {
    status: number;
    headers: Record<string, string>;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
    body: any;
    text: string;
}

export interface CallOptions {
    payload?: unknown;
    token?: string;
    headers?: Record<string, string>;
    /** The client's IP address; a random one unless given, so that per-IP limits do not meet. */
    from?: string;
}

export interface TestApp {
    server: Server;
    redis: Redis;
    store: Datastore;
    config: Config;
    drain: Drain;
    /** Everything that was logged, a parsed line each. */
    logs: Record<string, unknown>[];
    /** Moves the clock of the process and of the scripts. */
    advance: (milliseconds: number) => Promise<void>;
    /** Does something in no time by the clock of the process and of the scripts, however slow the machine is. */
    inNoTime: (work: () => Promise<unknown>) => Promise<void>;
    /** Has the clock of the process go before that of the scripts. */
    errs: (milliseconds: number) => void;
    call: (method: string, url: string, options?: CallOptions) => Promise<Answer>;
    stop: () => Promise<void>;
}

export interface AppOptions {
    config?: Partial<Config>;
    /** The socket of a Redis other than the shared one. */
    redisPath?: string;
    measureLoad?: Platform['measureLoad'];
    /** Listen on a free port instead of taking injected requests only. */
    listen?: boolean;
    /** Do jobs too: on a Redis of the test's own, or it would do those of other tests by its clock. */
    worker?: boolean;
    /** Do not start yet: the test does, by `server.initialize()`. */
    isHeld?: boolean;
    tracing?: Tracing;
    errorReports?: ErrorReports;
    writeDocument?: () => Promise<string>;
    /** Give up commands as early as in life, for a test that is about it; a busy machine may be slower than that. */
    isImpatient?: boolean;
}

/** The whole program on a real Redis, with a clock that a test can move and cheap password hashes. */
export async function startApp(options: AppOptions = {}): Promise<TestApp> {
    const {
        config,
        redisPath,
        measureLoad,
        listen = false,
        worker,
        isHeld = false,
        isImpatient = false,
        ...watch
    } = options;
    const settings: Config = { ...testConfig(), ...config };
    const logs: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };
    const logger = createLogger({ level: settings.LOG_LEVEL, pretty: false, destination });
    const address = { path: redisPath ?? (await sharedRedis()).path };
    const redis = theServer(await (isImpatient ? connectRedis : connectPatiently)(address, logger));
    const clockKey = `test:clock:${randomBytes(8).toString('hex')}`;
    const metrics = new Metrics();
    const store = createDatastore(redis, { includes: { now: movableNow(clockKey) }, metrics });
    let offset = 0;
    let error = 0;
    let stoppedAt: number | null = null;
    const setClock = () => redis.set(clockKey, stoppedAt === null ? offset : `=${stoppedAt + offset}`);
    const platform = composePlatform(
        { config: settings, logger, redis, address },
        {
            store,
            clock: () => (stoppedAt ?? Date.now()) + offset + error,
            metrics,
            restoreGraceMs: 0,
            // Tests that are about it say when.
            countEveryMs: 3_600_000,
            ...watch,
            ...(measureLoad && { measureLoad }),
        },
    );
    const { drain, jobs, signals } = platform;
    const server = await createServer(platform);
    noteRefusals(server);
    const watched = { ...watch, meter: meterJobs(metrics, jobs) };
    const jobWorker = worker === true ? await startWork(address, server, logger, watched) : null;
    if (listen) await server.start();
    else if (!isHeld) await server.initialize();
    return {
        server,
        redis,
        store,
        config: settings,
        drain,
        logs,
        advance: async (milliseconds) => {
            offset += milliseconds;
            await setClock();
        },
        inNoTime: async (work) => {
            stoppedAt = Date.now();
            await setClock();
            try {
                await work();
            } finally {
                stoppedAt = null;
                await setClock();
            }
        },
        errs: (milliseconds) => void (error = milliseconds),
        call: (method, url, options = {}) => inject(server, method, url, options),
        stop: async () => {
            await server.stop({ timeout: 1_000 });
            await jobWorker?.close(AbortSignal.timeout(5_000));
            await jobs.close();
            signals.close();
            await redis.del(clockKey).catch(() => undefined);
            redis.disconnect();
        },
    };
}

/** Two replicas on the shared Redis: each takes the tokens of the other. */
export async function startReplicas(options: AppOptions = {}): Promise<[TestApp, TestApp]> {
    const first = await startApp(options);
    const { JWT_KEYS, VAULT_KEYS } = first.config;
    return [first, await startApp({ ...options, config: { ...options.config, JWT_KEYS, VAULT_KEYS } })];
}

/** The settings of a test process; `BCRYPT_COST` is below what a configuration may say, to be quick. */
export function testConfig(environment: Record<string, string> = {}): Config {
    const config = loadConfig({
        NODE_ENV: 'test',
        DATA_DIR: temporaryFolder(),
        PORT: '0',
        // All tests run in one process, which may grow and be busy.
        MAX_EVENT_LOOP_DELAY_MS: '60000',
        MAX_RSS_MB: '65536',
        // Tests say what a tenant has.
        WELCOME_CREDITS: '0',
        PLATFORM_ADMIN_EMAIL: PLATFORM_ADMIN.email,
        PLATFORM_ADMIN_PASSWORD: PLATFORM_ADMIN.password,
        ...environment,
    });
    return { ...config, BCRYPT_COST: 4 };
}

async function startWork(address: RedisAddress, server: Server, logger: Logger, watch: JobWatch) {
    startLoops(server);
    return startJobWorker(address, processorsOf(server), logger, watch);
}

const movableNow = (key: string): string => `
local function now()
    local moved = redis.call('GET', '${key}') or '0'
    local stoppedAt = string.match(moved, '^=(%d+)$')
    if stoppedAt then return tonumber(stoppedAt) end
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(moved)
end`;

async function inject(server: Server, method: string, url: string, options: CallOptions): Promise<Answer> {
    const { payload, token, headers, from = randomAddress() } = options;
    const request: ServerInjectOptions = {
        method,
        url,
        remoteAddress: from,
        headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
        ...(payload !== undefined && { payload: payload as object }),
    };
    const response = await server.inject(request);
    noteFailures(response.request.route, response.payload);
    const isJson = String(response.headers['content-type']).startsWith('application/json');
    return {
        status: response.statusCode,
        headers: response.headers as Record<string, string>,
        body: isJson && response.payload !== '' ? JSON.parse(response.payload) : null,
        text: response.payload,
    };
}

export const randomAddress = (): string => `10.${[...randomBytes(3)].join('.')}`;
