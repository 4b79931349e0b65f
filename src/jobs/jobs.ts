import { Queue } from 'bullmq';

import { connectRedis, type RedisAddress } from '../redis/client.ts';
import { PLATFORM, tenantKey } from '../redis/keys.ts';

import type { Logger } from '../telemetry/logger.ts';

/** What a job is about: the tenant (of a repeating one, the platform) and ids of its records, never content. */
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

/** States of jobs that are counted; a `delayed` one is not due yet. */
const COUNTED = ['waiting', 'active', 'delayed', 'failed'] as const;
export type CountedState = (typeof COUNTED)[number];

/** Jobs whose queues can be looked at. */
export interface CountedJobs extends Jobs {
    /** How many jobs are in each state, by queue. @throws When Redis is away */
    counts(): Promise<Record<QueueName, Record<CountedState, number>>>;
}

/** The platform's own work; and what is sent to others' servers, which may be slow. */
export type QueueName = 'maintenance' | 'deliveries';

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
export function openJobs(address: RedisAddress, logger: Logger): CountedJobs {
    let opening: Promise<{ queues: Record<QueueName, Queue>; disconnect: () => void }> | undefined;

    const open = async () => {
        const redis = await connectRedis(address, logger);
        const queueOf = (name: QueueName) => {
            const defaultJobOptions = { ...RETRIES, ...KEPT_BY_QUEUE[name] };
            const queue = new Queue(name, { connection: redis, prefix: PREFIX, defaultJobOptions });
            queue.on('error', (error: Error) => logger.warn({ module: 'jobs', err: error }, 'The queue failed'));
            return queue;
        };
        const queues = { maintenance: queueOf('maintenance'), deliveries: queueOf('deliveries') };
        return { queues, disconnect: () => redis.disconnect() };
    };

    // A connection that could not be made is not kept: the next job tries again.
    const opened = async (name: QueueName) => {
        opening ??= open();
        const { queues } = await opening.catch((error: unknown) => {
            opening = undefined;
            throw error;
        });
        return queues[name];
    };

    return {
        async add(name, data, { delay = 0, id, attempts, queue = QUEUE } = {}) {
            const opens = await opened(queue);
            await opens.add(name, data, {
                delay,
                ...(id !== undefined && { jobId: id }),
                ...(attempts !== undefined && { attempts }),
            });
        },
        async repeat(name, everyMs) {
            const queue = await opened(QUEUE);
            const data: JobData = { tenantId: PLATFORM };
            await queue.upsertJobScheduler(name, { every: everyMs }, { name, data, opts: REPEATING });
        },
        async counts() {
            const of = async (name: QueueName) =>
                (await (await opened(name)).getJobCounts(...COUNTED)) as Record<CountedState, number>;
            const [maintenance, deliveries] = await Promise.all([of('maintenance'), of('deliveries')]);
            return { maintenance, deliveries };
        },
        async close() {
            const last = await opening?.catch(() => undefined);
            await Promise.all(Object.values(last?.queues ?? {}).map((queue) => queue.close()));
            last?.disconnect();
        },
    };
}
