import { Worker, type Job } from 'bullmq';

import { PREFIX, QUEUE, type JobData } from './jobs.ts';
import { connectWorkerRedis, type RedisAddress } from '../redis/client.ts';

import type { Logger } from '../telemetry/logger.ts';

/** Does a job. It may be called again for one that is half or wholly done, and must then finish or do nothing. */
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
const CONCURRENCY = 4;

export async function startJobWorker(
    address: RedisAddress,
    processors: Processors,
    logger: Logger,
): Promise<JobWorker> {
    const log = logger.child({ module: 'jobs' });
    const redis = await connectWorkerRedis(address, logger);
    const process = async (job: Job<JobData>) => {
        const processor = processors[job.name];
        if (!processor) throw new Error(`Nobody does jobs of the name ${job.name}`);
        await processor(job.data, { id: String(job.id) });
        log.info({ jobId: job.id, job: job.name }, 'job done');
    };
    const worker = new Worker<JobData>(QUEUE, process, {
        connection: redis,
        prefix: PREFIX,
        concurrency: CONCURRENCY,
        ...LEASE,
    });
    report(worker, log);
    await worker.waitUntilReady();
    return {
        async close(deadline) {
            const closed = worker.close();
            await Promise.race([closed, aborted(deadline)]);
            redis.disconnect();
            if (deadline.aborted) await worker.disconnect();
            closed.catch(() => undefined);
        },
    };
}

function report(worker: Worker<JobData>, log: Logger): void {
    worker.on('failed', (job, error) => {
        const { id: jobId, name, attemptsMade } = job ?? {};
        log.error({ jobId, job: name, attempt: attemptsMade, err: error }, 'job failed');
    });
    worker.on('stalled', (jobId) => log.warn({ jobId }, 'the worker of a job is gone; another one takes it over'));
    worker.on('error', (error) => log.warn({ err: error }, 'The worker failed'));
}

const aborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
    });
