import { setTimeout as sleep } from 'node:timers/promises';

import { Queue, type Job } from 'bullmq';

import { connectPatiently } from './redis.ts';
import { silentLogger } from './store.ts';
import { PREFIX, QUEUE, type JobData, type QueueName } from '../../src/jobs/jobs.ts';

import type { TestApp } from './app.ts';

/** The queue as an operator sees it. */
export interface TestQueue {
    queue: Queue<JobData>;
    /** The jobs that wait for their time. */
    delayed: () => Promise<Job<JobData>[]>;
    /** Makes those due now. */
    promote: () => Promise<void>;
    /** Waits until nothing is left to do at once. */
    settled: () => Promise<void>;
    close: () => Promise<void>;
}

export async function openQueue(path: string, name: QueueName = QUEUE): Promise<TestQueue> {
    const redis = await connectPatiently({ path }, silentLogger);
    const queue = new Queue<JobData>(name, { connection: redis, prefix: PREFIX });
    queue.on('error', () => undefined);
    return {
        queue,
        delayed: () => queue.getDelayed(),
        promote: () => queue.promoteJobs(),
        async settled() {
            while ((await queue.getJobCountByTypes('waiting', 'active', 'prioritized')) > 0) await sleep(10);
        },
        async close() {
            await queue.close();
            redis.disconnect();
        },
    };
}

export const DAYS = 24 * 3600 * 1000;

/** The lines that the program logged about its jobs. */
export const jobLogs = (app: TestApp) => app.logs.filter(({ module }) => module === 'jobs');
