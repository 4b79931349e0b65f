import { DelayedError, Worker, type Job } from 'bullmq';

import { ended } from './ended.ts';
import { PREFIX, type JobData, type QueueName } from './jobs.ts';
import { PutOff } from './put-off.ts';
import { TenantShare } from './tenant-share.ts';
import { connectWorkerRedis } from '../redis/client.ts';
import { noReports, type ErrorReports } from '../telemetry/error-reports.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';

import type { JobMeter } from './job-meter.ts';
import type { RedisAddress } from '../redis/address.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Does a job. It may be called again for one that is half or wholly done, and must then finish or do nothing.
 *
 * @throws PutOff When it is to be called again later
 */
export type Processor = (data: JobData, job: { id: string }) => Promise<void>;

/** The processors of a feature by the names of their jobs. */
export type Processors = Record<string, Processor>;

/** A worker that takes jobs. */
export interface JobWorker {
    /** Takes no more jobs and waits for those that are running; past the deadline another worker finishes them. */
    close(deadline: AbortSignal): Promise<void>;
}

/** A worker that is gone is missed after that time, and another one takes over its jobs. */
const LEASE = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 100 };
/** How many jobs of a queue are done at the same time, and how many of them for one tenant. */
const ROOM: Record<QueueName, { all: number; tenant: number }> = {
    maintenance: { all: 4, tenant: 4 },
    // Most of the time is spent waiting for others: one tenant whose receivers are slow must not hold up the rest.
    deliveries: { all: 32, tenant: 8 },
};
const QUEUES: QueueName[] = ['maintenance', 'deliveries'];

/** Who is told of jobs: nobody unless given. */
export interface JobWatch {
    tracing?: Tracing;
    errorReports?: ErrorReports;
    meter?: JobMeter;
}

/** Begins to take jobs, of every queue. */
export async function startJobWorker(
    address: RedisAddress,
    processors: Processors,
    logger: Logger,
    { tracing = noTracing, errorReports = noReports, meter = () => undefined }: JobWatch = {},
): Promise<JobWorker> {
    const log = logger.child({ module: 'jobs' });
    const redis = await connectWorkerRedis(address, logger);
    const workers = QUEUES.map((queue) => {
        const connection = { connection: redis, prefix: PREFIX, concurrency: ROOM[queue].all };
        const worker = new Worker<JobData>(queue, processOf(queue, measured(processors, queue, meter), log, tracing), {
            ...connection,
            ...LEASE,
        });
        report(worker, log, errorReports);
        return worker;
    });
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    return {
        async close(deadline) {
            const closed = Promise.all(workers.map((worker) => worker.close()));
            await Promise.race([closed, aborted(deadline)]);
            redis.disconnect();
            if (deadline.aborted) await ended(workers.map((worker) => worker.disconnect()));
            closed.catch(() => undefined);
        },
    };
}

/** The same, and each try is told of. */
function measured(processors: Processors, queue: QueueName, meter: JobMeter): Processors {
    const all = Object.entries(processors).map(([name, processor]): [string, Processor] => [
        name,
        async (...job) => {
            const began = performance.now();
            const tell = (outcome: 'done' | 'failed' | 'put_off') =>
                meter(queue, name, outcome, (performance.now() - began) / 1000);
            try {
                await processor(...job);
                tell('done');
            } catch (error) {
                tell(error instanceof PutOff ? 'put_off' : 'failed');
                throw error;
            }
        },
    ]);
    return Object.fromEntries(all);
}

function processOf(queue: QueueName, processors: Processors, log: Logger, tracing: Tracing) {
    const share = new TenantShare(ROOM[queue].tenant, Date.now);
    return async (job: Job<JobData>, token?: string) => {
        const processor = processors[job.name];
        if (!processor) throw new Error(`Nobody does jobs of the name ${job.name}`);
        const { tenantId, requestId, traceparent } = job.data;
        const attributes = { 'job.id': job.id, 'tenant.id': tenantId, 'request.id': requestId };
        // To be put off is no failure.
        const work = () => processor(job.data, { id: String(job.id) }).catch(orPutOff);
        try {
            const later = await share.run(tenantId, () =>
                tracing.inSpan(`job ${job.name}`, { kind: 'consumer', parent: traceparent, attributes }, work),
            );
            if (later) throw later;
        } catch (error) {
            if (!(error instanceof PutOff)) throw error;
            await job.moveToDelayed(Date.now() + error.delayMs, token);
            throw new DelayedError();
        }
        log.info({ jobId: job.id, job: job.name, requestId, tenantId }, 'job done');
    };
}

function orPutOff(error: unknown): PutOff {
    if (error instanceof PutOff) return error;
    throw error;
}

function report(worker: Worker<JobData>, log: Logger, errorReports: ErrorReports): void {
    worker.on('failed', (job, error) => {
        const { id: jobId, name = '', attemptsMade, data } = job ?? {};
        const { requestId, tenantId }: Partial<JobData> = data ?? {};
        log.error({ jobId, job: name, attempt: attemptsMade, requestId, tenantId, err: error }, 'job failed');
        errorReports.report(error, { module: 'jobs', job: name, requestId, tenantId });
    });
    worker.on('stalled', (jobId) => log.warn({ jobId }, 'the worker of a job is gone; another one takes it over'));
    worker.on('error', (error) => log.warn({ err: error }, 'The worker failed'));
}

const aborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
    });
