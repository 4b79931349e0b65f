import { setTimeout as sleep } from 'node:timers/promises';

import { loadModel, toProviderError, type Loaded } from './load-model.ts';
import { loadOutbox } from './load-outbox.ts';
import { apiError, errorBody, type ApiError } from '../../src/http/errors.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';

import type { Model } from './api.ts';
import type { LoadEnding, LoadStore, NewLoad } from './load-store.ts';
import type { LocalModels } from './local-models.ts';
import type { Drain } from '../../src/drain.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** A load whose process has died is noticed that long after it; a living one renews its lease in time. */
const LEASE = { leaseMs: 15_000, renewEveryMs: 5_000 };
/** How often the end of a load is tried to be stored while Redis is away. */
const END = { tries: 20, everyMs: 500 };
/** For all of it: fetching, loading and every try. */
const LOAD_TIMEOUT_MS = 300_000;

export interface LoadsParts {
    store: LoadStore;
    local: LocalModels;
    mayPull: boolean;
    appendOutbox: AppendOutbox;
    /** Told when the model server has something else in memory than before. */
    onChange: () => void;
    drain: Drain;
    logger: Logger;
    timeoutMs?: number;
}

/** The loads that this process does, and those that it takes over to end them. */
export class Loads {
    readonly #parts: LoadsParts;
    readonly #running = new Map<string, { controller: AbortController; ended: Promise<void> }>();
    readonly #sweeping: NodeJS.Timeout;
    #isStopping = false;

    constructor(parts: LoadsParts) {
        this.#parts = parts;
        // Not waited for: that could take minutes, and what was fetched stays where it is.
        parts.drain.onDrain(() => this.stop());
        this.#sweeping = setInterval(() => void this.sweep().catch(this.#warn), LEASE.renewEveryMs).unref();
    }

    /** @throws SHUTTING_DOWN when the process is about to stop */
    checkOpen(): void {
        if (this.#parts.drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
    }

    /** Begins a load, or joins the one that runs on whichever replica; gives its job id. */
    async begin(load: NewLoad, model: Model): Promise<string> {
        let begun = await this.#parts.store.begin(load, LEASE.leaseMs);
        if (begun.outcome === 'orphan') {
            await this.sweep();
            begun = await this.#parts.store.begin(load, LEASE.leaseMs);
        }
        if (begun.outcome === 'begun') this.#start(load, model);
        return begun.jobId;
    }

    /** Ends the loads of processes that are gone, and tells of those whose end nobody has told of. */
    async sweep(): Promise<void> {
        const { store } = this.#parts;
        for (const jobId of await store.takeOrphans(LEASE.leaseMs)) {
            // A process that was held up for long may find its own among them.
            if (this.#running.has(jobId)) continue;
            const load = await store.read(jobId);
            if (!load) {
                await store.release(jobId);
                continue;
            }
            if (load.job.state === 'loading') await this.#end(load.job, failed(load.job, apiError('LOAD_INTERRUPTED')));
            await this.#tell(jobId);
        }
    }

    /** Interrupts what runs, and waits until that is stored. */
    async stop(): Promise<void> {
        this.#isStopping = true;
        clearInterval(this.#sweeping);
        const running = [...this.#running.values()];
        for (const { controller } of running) controller.abort(apiError('LOAD_INTERRUPTED'));
        await Promise.all(running.map(({ ended }) => ended));
    }

    #start(load: NewLoad, model: Model): void {
        const controller = new AbortController();
        const ended = this.#run(load, model, controller)
            .catch(this.#warn)
            .finally(() => this.#running.delete(load.jobId));
        this.#running.set(load.jobId, { controller, ended });
    }

    async #run(load: NewLoad, model: Model, controller: AbortController): Promise<void> {
        const { local, mayPull, store, onChange, timeoutMs = LOAD_TIMEOUT_MS } = this.#parts;
        const log = new LoadLog(load, store, controller, this.#warn);
        const expire = () => controller.abort(apiError('PROVIDER_TIMEOUT'));
        const timeout = setTimeout(expire, timeoutMs).unref();
        const renewal = setInterval(() => void log.renew(), LEASE.renewEveryMs).unref();
        let ending: LoadEnding;
        try {
            const { signal } = controller;
            const work = { local, model, mayPull, signal, onProgress: (progress: object) => log.append(progress) };
            ending = completed(load, await loadModel(work));
        } catch (error) {
            if (log.isLost) return;
            const failure = toProviderError(error);
            const { data, cause } = failure;
            const line = { module: 'models', requestId: load.caller.requestId, model: model.id, code: data?.code };
            this.#parts.logger.warn({ ...line, err: cause ?? failure }, 'A model could not be loaded');
            ending = failed(load, failure);
        } finally {
            clearTimeout(timeout);
            clearInterval(renewal);
            onChange();
        }
        if (await this.#end(load, ending)) await this.#tell(load.jobId);
    }

    /** Stores an end, also when Redis is away for a moment. */
    async #end(load: NewLoad, ending: LoadEnding): Promise<boolean> {
        for (let tries = 1; ; tries++) {
            try {
                return await this.#parts.store.end(load, LEASE.leaseMs, ending);
            } catch (error) {
                if (!isStoreUnavailable(error) || tries >= END.tries || this.#isStopping) throw error;
                this.#warn(error);
                await sleep(END.everyMs, undefined, { ref: false });
            }
        }
    }

    /** Tells the tenant of the caller how its load has ended, at least once: where it fails it is swept later. */
    async #tell(jobId: string): Promise<void> {
        const { store, appendOutbox } = this.#parts;
        const load = await store.read(jobId);
        if (load) await appendOutbox(load.job.caller.tenantId, loadOutbox(load.job));
        await store.release(jobId);
    }

    readonly #warn = (error: unknown): void => {
        this.#parts.logger.warn({ module: 'models', err: error }, 'A load could not be stored or swept');
    };
}

/** What a load tells of itself while it runs. */
class LoadLog {
    readonly #load: NewLoad;
    readonly #store: LoadStore;
    readonly #controller: AbortController;
    readonly #warn: (error: unknown) => void;
    #number = 0;
    /** Somebody else has ended the load. */
    isLost = false;

    constructor(load: NewLoad, store: LoadStore, controller: AbortController, warn: (error: unknown) => void) {
        this.#load = load;
        this.#store = store;
        this.#controller = controller;
        this.#warn = warn;
    }

    /** What cannot be stored is left out: the next one tells more. */
    async append(progress: object): Promise<void> {
        const { jobId, modelId } = this.#load;
        const data = { modelId, jobId, ...progress };
        const number = this.#number + 1;
        const isHeld = await this.#try(() => this.#store.append(jobId, LEASE.leaseMs, number, ['progress', data]));
        if (isHeld) this.#number = number;
    }

    async renew(): Promise<void> {
        await this.#try(() => this.#store.append(this.#load.jobId, LEASE.leaseMs));
    }

    async #try(write: () => Promise<boolean>): Promise<boolean> {
        try {
            const isHeld = await write();
            if (!isHeld) this.#lose();
            return isHeld;
        } catch (error) {
            this.#warn(error);
            return false;
        }
    }

    #lose(): void {
        this.isLost = true;
        this.#controller.abort(apiError('LOAD_INTERRUPTED'));
    }
}

const completed = ({ jobId, modelId }: NewLoad, { work, loadMs }: Loaded): LoadEnding => ({
    state: 'loaded',
    event: ['complete', { modelId, jobId, status: 'loaded', loadProgress: 100 }],
    work,
    ...(loadMs !== undefined && { loadMs }),
});

const failed = ({ jobId, modelId, caller }: NewLoad, error: ApiError): LoadEnding => ({
    state: 'error',
    event: ['error', { modelId, jobId, error: errorBody(error, caller.requestId) }],
    errorCode: error.data?.code ?? 'INTERNAL_ERROR',
});
