import { Queue } from 'bullmq';

import { ended } from './ended.ts';
import { JobList, type JobCounts, type JobPage, type JobPlace, type JobState, type JobView } from './job-list.ts';
import { connectRedis } from '../redis/client.ts';
import { PLATFORM, tenantKey } from '../redis/keys.ts';
import { noTracing } from '../telemetry/tracing.ts';

import type { QueueName } from './queue-name.ts';
import type { RedisAddress } from '../redis/address.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export type { QueueName } from './queue-name.ts';

/**
 * What a job is about: the tenant (of a repeating one, the platform) and ids of its records, never content. With
 * `requestId` its log lines are found by the request that asked for it; `traceparent` is put in by `add`.
 */
export interface JobData {
    tenantId: string;
    [record: string]: string;
}

export interface JobOptions {
    /** Milliseconds until it is due; at once unless given. */
    delay?: number;
    /** Of several jobs of one id that wait or were done lately one is kept. Letters, digits, `.`, `_` and `-`. */
    id?: string;
    /** How often it is tried, where that is not worth the days that others take. */
    attempts?: number;
    /** Where it waits; among the platform's own work unless given. */
    queue?: QueueName;
}

/** Where services leave work for later. A job that was added is done at least once, by any of the workers. */
export interface Jobs {
    /** @throws When Redis is away: then nothing was added */
    add(name: string, data: JobData, options?: JobOptions): Promise<void>;
    /**
     * Has a job of the platform done at once and then each `everyMs`, each time by one of the workers. All of them say
     * so at their start: said again, it changes nothing but the distance. What a downtime has missed is not made up
     * for; one that fails is tried again by the next, and the next may begin while one still runs.
     *
     * @throws When Redis is away
     */
    repeat(name: string, everyMs: number): Promise<void>;
    close(): Promise<void>;
}

/** The same for who looks after what waits there. */
export interface JobQueues extends Jobs {
    /** Jobs in that state, the newest first: in as many commands however many there are. @throws When Redis is away */
    list(state: JobState, place: JobPlace, limit: number): Promise<JobPage>;
    /** How many jobs there are, by queue. @throws When Redis is away */
    counts(): Promise<JobCounts>;
    /** Has a failed job tried again, as often as a new one. @throws JOB_NOT_FOUND, JOB_NOT_FAILED */
    retry(id: string): Promise<JobView>;
}

/** The name of the usual queue, and what the keys of all begin with: the platform's slot holds all of them. */
export const QUEUE: QueueName = 'maintenance';
export const PREFIX = tenantKey(PLATFORM, 'jobs');

const DAY_S = 24 * 3600;
/** Sixteen tries at doubling distances, the last one two days after the first: an outage is outlived. */
const RETRIES = { attempts: 16, backoff: { type: 'exponential', delay: 5_000, jitter: 0.2 } };
const KEPT = { removeOnComplete: { age: DAY_S, count: 1_000 }, removeOnFail: { age: 30 * DAY_S, count: 10_000 } };
/** What is delivered is told by its record, under which the same job may be added again. */
const KEPT_BY_QUEUE = { maintenance: KEPT, deliveries: { removeOnComplete: true, removeOnFail: true } };
/** Nothing of a repeating job is kept: it would take the room of those that are done once, and comes again by itself. */
const REPEATING = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/** The queues by a connection of their own, made when the first job is added. */
export function openJobs(address: RedisAddress, logger: Logger, tracing: Tracing = noTracing): JobQueues {
    let opening: Promise<{ queues: Record<QueueName, Queue>; jobs: JobList; disconnect: () => void }> | undefined;

    const open = async () => {
        const redis = await connectRedis(address, logger);
        const queueOf = (name: QueueName) => {
            const defaultJobOptions = { ...RETRIES, ...KEPT_BY_QUEUE[name] };
            const queue = new Queue(name, { connection: redis, prefix: PREFIX, defaultJobOptions });
            queue.on('error', (error: Error) => logger.warn({ module: 'jobs', err: error }, 'The queue failed'));
            return queue;
        };
        const queues = { maintenance: queueOf('maintenance'), deliveries: queueOf('deliveries') };
        return { queues, jobs: new JobList(queues, redis), disconnect: () => redis.disconnect() };
    };

    // A connection that could not be made is not kept: the next job tries again.
    const opened = () => {
        opening ??= open();
        return opening.catch((error: unknown) => {
            opening = undefined;
            throw error;
        });
    };

    return {
        async add(name, data, { delay = 0, id, attempts, queue = QUEUE } = {}) {
            const { queues } = await opened();
            const traceparent = tracing.traceparent();
            await queues[queue].add(name, traceparent === undefined ? data : { ...data, traceparent }, {
                delay,
                ...(id !== undefined && { jobId: id }),
                ...(attempts !== undefined && { attempts }),
            });
        },
        async repeat(name, everyMs) {
            const { queues } = await opened();
            const data: JobData = { tenantId: PLATFORM };
            await queues[QUEUE].upsertJobScheduler(name, { every: everyMs }, { name, data, opts: REPEATING });
        },
        list: async (state, place, limit) => (await opened()).jobs.page(state, place, limit),
        counts: async () => (await opened()).jobs.counts(),
        retry: async (id) => (await opened()).jobs.retry(id),
        async close() {
            const last = await opening?.catch(() => undefined);
            await ended(Object.values(last?.queues ?? {}).map((queue) => queue.close()));
            last?.disconnect();
        },
    };
}
