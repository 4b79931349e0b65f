import { errorText } from './error-text.ts';
import { apiError } from '../http/errors.ts';
import { isoTime } from '../redis/codec.ts';
import { createDatastore, type RunScript } from '../redis/datastore.ts';

import type { Queue } from 'bullmq';
import type { QueueName } from './queue-name.ts';
import type { ErrorCode } from '../http/errors.ts';
import type { RedisClient } from '../redis/client.ts';

/** Where a job is on its way. */
export const JOB_STATES = ['waiting', 'active', 'delayed', 'failed', 'completed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A job as an operator sees it: without what it is about, but for whose it is. */
export interface JobView {
    /** `<queue>:<id>` */
    id: string;
    queue: QueueName;
    name: string;
    tenantId: string;
    state: JobState;
    /** How often it was tried. */
    attempts: number;
    /** Of the last try, in one line and without secrets. */
    error: string | null;
    addedAt: string;
    /** When the last try ended. */
    finishedAt: string | null;
}

/** How many jobs are in each state, by queue. */
export type JobCounts = Record<QueueName, Record<JobState, number>>;

/** How many jobs of each queue come before a page. */
export type JobPlace = Record<QueueName, number>;

export interface JobPage {
    jobs: JobView[];
    /** Where the next page begins; null after the last. */
    next: JobPlace | null;
}

const QUEUES: QueueName[] = ['maintenance', 'deliveries'];
const FIELDS = ['name', 'data', 'timestamp', 'finishedOn', 'atm', 'failedReason', 'stacktrace', 'delay'];
/** What BullMQ says of a job that is gone, or that is in another state. */
const REFUSALS: Record<number, ErrorCode> = { [-1]: 'JOB_NOT_FOUND', [-3]: 'JOB_NOT_FAILED' };

type Queues = Record<QueueName, Queue>;
interface Listed {
    view: JobView;
    /** What the jobs of a state are sorted by. */
    at: number;
}

/** The jobs of all queues, some at a time, in as many commands however many there are. */
export class JobList {
    readonly #queues: Queues;
    readonly #read: RunScript;

    constructor(queues: Queues, redis: RedisClient) {
        this.#queues = queues;
        this.#read = createDatastore(redis).script(new URL('./lua/read-jobs.lua', import.meta.url));
    }

    async counts(): Promise<JobCounts> {
        const of = async (name: QueueName) =>
            (await this.#queues[name].getJobCounts(...JOB_STATES)) as Record<JobState, number>;
        const [maintenance, deliveries] = await Promise.all([of('maintenance'), of('deliveries')]);
        return { maintenance, deliveries };
    }

    /** The newest first; of those that are delayed, the ones that are due last. */
    async page(state: JobState, place: JobPlace, limit: number): Promise<JobPage> {
        const ids = await Promise.all(
            QUEUES.map(async (queue) => {
                const found = await this.#queues[queue].getRanges([state], place[queue], place[queue] + limit);
                return found.map((id) => ({ queue, id }));
            }),
        );
        const jobs = await this.#listed(state, ids.flat());
        const next = { ...place };
        const views: JobView[] = [];
        // Each queue is in its own order: the later of their first ones comes next.
        const lines = QUEUES.map((queue) => jobs.filter((job) => job.queue === queue));
        for (let taken = 0; taken < limit; taken++) {
            const line = lines.filter(({ length }) => length > 0).toSorted((a, b) => atOf(b) - atOf(a))[0];
            const job = line?.shift();
            if (!job) break;
            next[job.queue]++;
            if (job.listed) views.push(job.listed.view);
        }
        return { jobs: views, next: lines.some(({ length }) => length > 0) ? next : null };
    }

    /** Has a failed job tried again, as often as a new one. @throws JOB_NOT_FOUND, JOB_NOT_FAILED */
    async retry(id: string): Promise<JobView> {
        const at = id.indexOf(':');
        const queue = QUEUES.find((name) => name === id.slice(0, at));
        const own = id.slice(at + 1);
        const job = queue && (await this.#queues[queue].getJob(own));
        const [found] = queue ? await this.#listed('waiting', [{ queue, id: own }]) : [];
        if (!job || !found?.listed) throw apiError('JOB_NOT_FOUND');
        await job.retry('failed', { resetAttemptsMade: true }).catch((error: unknown) => {
            const refusal = error instanceof Error && 'code' in error ? REFUSALS[Number(error.code)] : undefined;
            throw refusal === undefined ? error : apiError(refusal);
        });
        return { ...found.listed.view, attempts: 0, error: null, finishedAt: null };
    }

    /** One that is gone meanwhile is null. */
    async #listed(state: JobState, ids: { queue: QueueName; id: string }[]) {
        const keys = ids.map(({ queue, id }) => this.#queues[queue].toKey(id));
        const found = keys.length === 0 ? [] : ((await this.#read(keys, FIELDS)) as (string | null)[][]);
        return ids.map(({ queue, id }, n) => {
            const values = new Map(FIELDS.map((name, field) => [name, found[n]?.[field] ?? null]));
            return { queue, listed: viewOf(state, queue, id, values) };
        });
    }
}

const atOf = ([first]: { listed: Listed | null }[]): number => first?.listed?.at ?? Infinity;

function viewOf(state: JobState, queue: QueueName, id: string, values: Map<string, string | null>): Listed | null {
    const name = values.get('name');
    if (name === undefined || name === null) return null;
    const number = (field: string) => Number(values.get(field) ?? 0);
    const [reason, finished, added] = [values.get('failedReason'), number('finishedOn'), number('timestamp')];
    const traces = JSON.parse(values.get('stacktrace') ?? '[]') as string[];
    const { tenantId } = JSON.parse(values.get('data') ?? '{}') as { tenantId: string };
    const view: JobView = {
        id: `${queue}:${id}`,
        queue,
        name,
        tenantId,
        state,
        attempts: number('atm'),
        error: reason === undefined || reason === null ? null : errorText(reason, traces.at(-1)),
        addedAt: isoTime(added),
        finishedAt: finished === 0 ? null : isoTime(finished),
    };
    return { view, at: state === 'delayed' ? added + number('delay') : finished || added };
}
