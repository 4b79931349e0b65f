import { setTimeout as sleep } from 'node:timers/promises';

import { apiDocumentElsewhere } from './api-document.ts';
import { composePlatform } from './compose-platform.ts';
import { stopListening } from './http/stop-listening.ts';
import { meterJobs } from './jobs/job-meter.ts';
import { startJobWorker } from './jobs/worker.ts';
import { configuredAddress, type RedisAddress } from './redis/address.ts';
import { checkEviction, connectRedis } from './redis/client.ts';
import { startEmbeddedRedis } from './redis/embedded.ts';
import { migrate } from './redis/migrate.ts';
import { createServer } from './server.ts';
import { endOnCrash } from './telemetry/crash.ts';
import { openErrorReports, type ErrorReports } from './telemetry/error-reports.ts';
import { createLogger, standardOutput, type Logger } from './telemetry/logger.ts';
import { listenForMonitoring, type MonitoringListener } from './telemetry/monitoring-listener.ts';
import { openTracing, type Tracing } from './telemetry/tracing.ts';
import { processorsOf, schedule, startLoops } from './worker.ts';

import type { Server } from '@hapi/hapi';
import type { Config } from './config.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Platform } from './platform.ts';

/**
 * What is kept of SHUTDOWN_TIMEOUT for sending the last events out, and for stopping Redis while the last traces go
 * out.
 */
const RESERVED_MS = { sending: 500, redis: 1_000 };
/** For requests that came before the listener was closed to begin what they ask for: a share of the time that is left. */
const BEGINNING = { share: 0.25, longestMs: 2_000 };

/** Runs what ROLE asks for, API or worker or both, until the process is told to stop; gives the exit code. */
export async function run(config: Config): Promise<number> {
    const told = stopSignal();
    const output = standardOutput(config.LOG_PRETTY);
    const { destination } = output;
    const logger = createLogger({ level: config.LOG_LEVEL, pretty: config.LOG_PRETTY, destination });
    try {
        const [tracing, errorReports] = await Promise.all([openTracing(config), openErrorReports(config)]);
        endOnCrash(logger, errorReports, output);
        const configured = configuredAddress(config);
        const embedded = configured ? null : await startEmbeddedRedis(config.DATA_DIR, logger);
        const address = configured ?? { path: embedded?.path ?? '' };
        try {
            await serve({ config, logger, tracing, errorReports, address, told });
            return 0;
        } finally {
            await Promise.all([tracing.close(), errorReports.close(), embedded?.stop()]);
        }
    } finally {
        // Nothing is logged after that.
        await output.end();
    }
}

interface Running {
    config: Config;
    logger: Logger;
    tracing: Tracing;
    errorReports: ErrorReports;
    address: RedisAddress;
    told: Promise<string>;
}

async function serve(running: Running): Promise<void> {
    const { config, logger, tracing, errorReports, address, told } = running;
    const redis = await connectRedis(address, logger);
    const writeDocument = () => apiDocumentElsewhere(config);
    const platform = composePlatform({ config, logger, redis, address }, { tracing, errorReports, writeDocument });
    const { drain, jobs, metrics, replication, signals, store } = platform;
    try {
        await checkEviction(redis, config.REDIS_ALLOW_EVICTION);
        await migrate({ store, replication, logger, program: config.VERSION, told });
        if (config.METRICS) metrics.measureProcess();
        const server = await createServer(platform);
        const monitoring = await begin(running, platform, server);

        const signal = await told;
        logger.info({ module: 'main', signal }, 'stopping');
        const endsAt = performance.now() + config.SHUTDOWN_TIMEOUT * 1000 - RESERVED_MS.redis;
        const left = () => Math.max(0, Math.floor(endsAt - performance.now()));
        drain.leave();
        // A worker is sent nothing.
        if (config.ROLE !== 'worker') {
            await sleep(config.SHUTDOWN_DELAY * 1000);
            await stopListening(server, Math.min(BEGINNING.longestMs, left() * BEGINNING.share));
        }
        drain.begin();
        const timeout = left();
        const deadline = AbortSignal.timeout(Math.max(0, timeout - RESERVED_MS.sending));
        await Promise.all([server.stop({ timeout }), drain.finish(deadline)]);
        monitoring?.close();
        logger.info({ module: 'main' }, 'stopped');
    } finally {
        await jobs.close();
        signals.close();
        redis.disconnect();
    }
}

/** Takes requests, jobs, or both. */
async function begin(
    { config, logger, tracing, errorReports, address }: Running,
    { drain, jobs, metrics }: Platform,
    server: Server,
): Promise<MonitoringListener | null> {
    if (config.ROLE === 'worker') await server.initialize();
    else await server.start();
    const monitoring = await startMonitoring(server, config);
    if (config.ROLE !== 'api') {
        const watch = { tracing, errorReports, meter: meterJobs(metrics, jobs) };
        const worker = await startJobWorker(address, processorsOf(server), logger, watch);
        drain.onDrain((deadline) => worker.close(deadline));
        await startSchedules(server, jobs);
        logger.info({ module: 'main', version: config.VERSION }, 'working');
    }
    if (config.ROLE !== 'worker') {
        logger.info({ module: 'main', version: config.VERSION }, `listening on ${server.info.uri}`);
    }
    return monitoring;
}

/** From now on others see how the process is: the other replicas, and whoever asks on the port for that. */
async function startMonitoring(server: Server, { HOST, METRICS_PORT }: Config): Promise<MonitoringListener | null> {
    await server.plugins.metrics.announce();
    return METRICS_PORT === 0 ? null : listenForMonitoring(server, HOST, METRICS_PORT);
}

/** What a worker does without being asked. */
async function startSchedules(server: Server, jobs: Jobs): Promise<void> {
    startLoops(server);
    for (const [name, everyMs] of Object.entries(schedule)) await jobs.repeat(name, everyMs);
}

/** The first signal to stop. It is listened to for good: a second one must not cut short what the first one began. */
function stopSignal(): Promise<string> {
    return new Promise((resolve) => {
        for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(name));
    });
}
