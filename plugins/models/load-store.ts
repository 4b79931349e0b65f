import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Caller } from '../../src/types/actor.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** How long a load that has ended can be followed. */
const KEPT_MS = 15 * 60_000;
/** A load that nobody could end for that long is forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000;
/** How many loads of dead processes one process takes over at once. */
const ORPHANS = 20;

const LEASES = tenantKey(PLATFORM, 'model-loads');
const JOBS = `${tenantKey(PLATFORM, 'model-load')}:`;

const jobKey = (jobId: string): string => JOBS + jobId;
const eventsKey = (jobId: string): string => `${jobKey(jobId)}:events`;
const modelKey = (modelId: string): string => tenantKey(PLATFORM, 'model', modelId);

/** The channel of those who follow a load. */
export const followersOf = (jobId: string): string => `${jobKey(jobId)}:followers`;

/** Whose request began a load. */
export interface LoadCaller extends Caller {
    tenantId: string;
    userId: string;
    keyId?: string;
}

/** An event of a load without its number. */
export type LoadEvent = [event: 'progress' | 'complete' | 'error', data: object];

/** How far a load is; null is what is not known. */
export interface LoadProgress {
    phase: 'pulling' | 'loading';
    /** Per cent of the bytes that have to be fetched. */
    loadProgress: number | null;
    completedBytes: number | null;
    totalBytes: number | null;
}

/** A load that runs or has ended a while ago. */
export interface LoadJob {
    jobId: string;
    modelId: string;
    state: 'loading' | 'loaded' | 'error';
    caller: LoadCaller;
    progress: LoadProgress | null;
    /** The catalogue code of what it failed with. */
    errorCode: string | null;
    /** Whether the model had to be fetched; whether it was there already. */
    work: 'pulled' | 'loaded' | 'none' | null;
    /** It runs, and the process that does it is gone. */
    isOrphan: boolean;
}

/** What is known of a model besides what its server tells. */
export interface ModelLoads {
    /** Its last load, as long as that is kept. */
    job: LoadJob | null;
    /** When a load last put it into memory, in epoch milliseconds, and how long that took. */
    loadedAt: number | null;
    loadMs: number | null;
}

export interface LoadEnding {
    state: 'loaded' | 'error';
    event: LoadEvent;
    errorCode?: string;
    work?: LoadJob['work'];
    /** How long it took to put it into memory, where that had to be done. */
    loadMs?: number;
}

export interface NewLoad {
    jobId: string;
    modelId: string;
    caller: LoadCaller;
}

/** Loads of models, one per model on all replicas: who does it, how far it is, and for a while how it ended. */
export class LoadStore {
    readonly #redis: Datastore['redis'];
    readonly #begin: RunScript;
    readonly #append: RunScript;
    readonly #end: RunScript;
    readonly #read: RunScript;
    readonly #readModel: RunScript;
    readonly #take: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#begin = store.script(lua('begin-load'));
        this.#append = store.script(lua('append-load'));
        this.#end = store.script(lua('end-load'));
        this.#read = store.script(lua('read-load'));
        this.#readModel = store.script(lua('read-model-load'));
        this.#take = store.script(lua('take-loads'));
    }

    /** Begins a load, or tells which one runs; `orphan`: its process is gone. */
    async begin({ jobId, modelId, caller }: NewLoad, leaseMs: number) {
        const job = ['modelId', modelId, 'caller', JSON.stringify(caller)];
        const keys = [modelKey(modelId), LEASES, JOBS];
        const reply = await this.#begin(keys, [JSON.stringify({ jobId, job }), leaseMs, FORGOTTEN_MS]);
        const [code, id] = reply as [1 | 0 | -1, string];
        return { jobId: id, outcome: ({ 1: 'begun', 0: 'running', [-1]: 'orphan' } as const)[code] };
    }

    /** Renews the lease and adds an event. Once more has no effect. @returns False when somebody else has ended it */
    async append(jobId: string, leaseMs: number, number = 0, event?: LoadEvent): Promise<boolean> {
        const keys = [jobKey(jobId), eventsKey(jobId), LEASES];
        const text = event ? JSON.stringify(event) : '';
        const done = await this.#append(keys, [jobId, leaseMs, number, text, FORGOTTEN_MS, followersOf(jobId)]);
        return done === 1;
    }

    /** Ends a load that runs; whoever does that tells others of it within the lease, and releases it. */
    async end({ jobId, modelId }: NewLoad, leaseMs: number, ending: LoadEnding): Promise<boolean> {
        const { event, state, loadMs, errorCode = '', work } = ending;
        const keys = [jobKey(jobId), eventsKey(jobId), LEASES, modelKey(modelId)];
        const change = {
            jobId,
            state,
            fields: ['errorCode', errorCode, 'work', work ?? ''],
            ...(loadMs !== undefined && { loadMs: Math.ceil(loadMs) }),
        };
        const args = [JSON.stringify(change), leaseMs, KEPT_MS, followersOf(jobId), JSON.stringify(event)];
        return (await this.#end(keys, args)) === 1;
    }

    /** A load with its events after the first `known` ones; null when it is not kept (any more). */
    async read(jobId: string, known = 0): Promise<{ job: LoadJob; events: LoadEvent[] } | null> {
        const keys = [jobKey(jobId), eventsKey(jobId), LEASES];
        const [flat, entries, isOver] = (await this.#read(keys, [jobId, known])) as ReadReply;
        const job = toJob(jobId, fieldsOf(flat), isOver === 1);
        return job && { job, events: entries.map(([, [, text]]) => JSON.parse(text) as LoadEvent) };
    }

    async readModel(modelId: string): Promise<ModelLoads> {
        const reply = await this.#readModel([modelKey(modelId), LEASES, JOBS], []);
        const [flat, ofJob, isOver] = reply as [string[], string[], 0 | 1];
        const { jobId = '', loadedAt, loadMs } = fieldsOf(flat);
        return {
            job: toJob(jobId, fieldsOf(ofJob), isOver === 1),
            loadedAt: loadedAt === undefined ? null : Number(loadedAt),
            loadMs: loadMs === undefined ? null : Number(loadMs),
        };
    }

    /** Loads whose process is gone, or of whose end nobody was told; no other process gets the same within the lease. */
    async takeOrphans(leaseMs: number): Promise<string[]> {
        return (await this.#take([LEASES], [leaseMs, ORPHANS])) as string[];
    }

    async release(jobId: string): Promise<void> {
        await this.#redis.zrem(LEASES, jobId);
    }
}

type ReadReply = [flat: string[], entries: [id: string, fields: [name: string, text: string]][], isOver: 0 | 1];

const fieldsOf = (flat: string[]): Partial<Record<string, string>> =>
    Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])));

function toJob(jobId: string, fields: Partial<Record<string, string>>, isOver: boolean): LoadJob | null {
    const { state, modelId = '', caller, progress, errorCode, work } = fields;
    if (state === undefined || caller === undefined) return null;
    const [, data = null] = progress === undefined ? [] : (JSON.parse(progress) as [string, LoadProgress]);
    return {
        jobId,
        modelId,
        state: state as LoadJob['state'],
        caller: JSON.parse(caller) as LoadCaller,
        progress: data,
        errorCode: errorCode ? errorCode : null,
        work: work ? (work as LoadJob['work']) : null,
        isOrphan: state === 'loading' && isOver,
    };
}
