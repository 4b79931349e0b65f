import { toProviderError } from './load-model.ts';
import { unloadOutbox } from './load-outbox.ts';
import { followersOf } from './load-store.ts';
import { isRelayed, type RelayedModel } from './relayed-model.ts';
import { cached } from './status-cache.ts';
import { apiError, isApiError, type ErrorCode } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { Bell } from '../../src/redis/bell.ts';

import type { Model, ModelService } from './api.ts';
import type { LoadEvent, LoadStore, ModelLoads } from './load-store.ts';
import type { Loads } from './loads.ts';
import type { LocalModels, ModelsThere } from './local-models.ts';
import type { RelayedModels } from './relayed-models.ts';
import type { Clock } from '../../src/clock.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Actor } from '../../src/types/actor.ts';

const FRESH_MS = 3_000;
const UNLOAD_TIMEOUT_MS = 20_000;
/** A signal may be lost: then what is new is found that much later. */
const LOOK_EVERY_MS = 1_000;

/** A model as `GET /api/models/{modelId}/status` shows it; null is what is not known. */
export interface ModelStatus {
    modelId: string;
    status: 'not_loaded' | 'loading' | 'loaded' | 'error' | 'unavailable';
    loadProgress: number | null;
    memoryUsage: string | null;
    lastLoaded: string | null;
    estimatedLoadTime: number | null;
    /** The catalogue code of why it is unavailable or what its load failed with. */
    reason: string | null;
    /** Of the load that runs. */
    jobId: string | null;
}

export interface LoadServiceParts {
    models: Pick<ModelService, 'get' | 'usable'>;
    relayed: Pick<RelayedModels, 'look'>;
    local: LocalModels;
    mayPull: boolean;
    store: LoadStore;
    loads: Loads;
    signals: Signals;
    appendOutbox: AppendOutbox;
    look: ReturnType<typeof cached<ModelsThere>>;
}

/** What the model server has, asked at most every few seconds. */
export const cachedLook = (local: LocalModels, clock: Clock): LoadServiceParts['look'] =>
    cached(() => local.look(), FRESH_MS, clock);

/** Local models: whether they are in memory, and how they come and go. */
export class LoadService {
    readonly #parts: LoadServiceParts;

    constructor(parts: LoadServiceParts) {
        this.#parts = parts;
    }

    /** @throws MODEL_NOT_FOUND */
    async status(actor: Actor, idOrAlias: string): Promise<ModelStatus> {
        const { models, look, mayPull } = this.#parts;
        const model = models.get(idOrAlias);
        if (isRelayed(model)) return this.#relayedStatus(actor, model);
        if (model.provider !== 'ollama') {
            const isUsable = models.usable(actor.providerKeys).includes(model);
            return { ...unknown(model), ...(isUsable ? { status: 'loaded' } : away('PROVIDER_KEY_MISSING')) };
        }
        const loads = await this.#known(model);
        const base = { ...unknown(model), lastLoaded: timeText(loads.loadedAt) };
        if (loads.job?.state === 'loading') {
            const { jobId, progress } = loads.job;
            return { ...base, status: 'loading', loadProgress: progress?.loadProgress ?? null, jobId };
        }
        try {
            return { ...base, ...standing(model, await look.read(), loads, mayPull) };
        } catch (error) {
            return { ...base, ...away(toProviderError(error).data?.code ?? 'PROVIDER_ERROR') };
        }
    }

    /**
     * Begins to load a model, or joins the load that runs.
     *
     * @throws MODEL_NOT_FOUND, MODEL_NOT_LOADABLE, MODEL_NOT_ON_DISK, SHUTTING_DOWN, and what `LocalModels.look` throws
     */
    async load(actor: Actor, idOrAlias: string) {
        const { loads, look, mayPull, store } = this.#parts;
        const model = this.#loadable(idOrAlias);
        loads.checkOpen();
        const there = await look.read();
        const isReady = there.isLoaded(model) || there.isOnDisk(model);
        if (!isReady && !mayPull) throw apiError('MODEL_NOT_ON_DISK');
        const { requestId, ipAddress, userAgent, tenantId, userId, keyId } = actor;
        const caller = { requestId, ipAddress, userAgent, tenantId, userId, ...(keyId !== undefined && { keyId }) };
        const { loadMs } = await store.readModel(model.id);
        const jobId = await loads.begin({ jobId: newId('job'), modelId: model.id, caller }, model);
        const estimatedTime = there.isOnDisk(model) ? seconds(loadMs) : null;
        return { modelId: model.id, jobId, status: 'loading' as const, estimatedTime };
    }

    /** @throws MODEL_NOT_FOUND, MODEL_NOT_LOADABLE, MODEL_LOADING, PROVIDER_… errors */
    async unload(actor: Actor, idOrAlias: string) {
        const { local, look, appendOutbox } = this.#parts;
        const model = this.#loadable(idOrAlias);
        const { job } = await this.#known(model);
        if (job?.state === 'loading') throw apiError('MODEL_LOADING', { details: { jobId: job.jobId } });
        look.forget();
        if ((await look.read()).isLoaded(model)) {
            const signal = AbortSignal.timeout(UNLOAD_TIMEOUT_MS);
            try {
                await local.unload(model, signal);
            } catch (error) {
                throw signal.aborted ? apiError('PROVIDER_TIMEOUT') : toProviderError(error);
            } finally {
                look.forget();
            }
            await appendOutbox(actor.tenantId, unloadOutbox(actor, model.id));
        }
        return { modelId: model.id, status: 'not_loaded' as const };
    }

    /**
     * The events of a load after the first `known` ones, then what comes, until it ends.
     *
     * @throws MODEL_NOT_FOUND, LOAD_NOT_FOUND
     */
    async events(idOrAlias: string, jobId: string, known = 0): Promise<AsyncIterable<ServerSentEvent[]>> {
        const model = this.#parts.models.get(idOrAlias);
        const load = await this.#parts.store.read(jobId);
        if (load?.job.modelId !== model.id) throw apiError('LOAD_NOT_FOUND');
        return this.#follow(jobId, known);
    }

    async *#follow(jobId: string, known: number): AsyncGenerator<ServerSentEvent[]> {
        const { store, loads, signals } = this.#parts;
        const bell = new Bell();
        const stopListening = await signals.listen(followersOf(jobId), () => bell.ring());
        try {
            for (let next = known; ;) {
                const heard = bell.next(LOOK_EVERY_MS);
                const load = await store.read(jobId, next);
                if (!load) return;
                const { job, events } = load;
                const first = next + 1;
                next += events.length;
                if (events.length > 0) yield events.map((event, at) => toEvent(first + at, event));
                if (job.state !== 'loading') return;
                if (job.isOrphan) await loads.sweep();
                await heard;
            }
        } finally {
            stopListening();
        }
    }

    /** @throws MODEL_NOT_FOUND */
    async #relayedStatus(actor: Actor, model: RelayedModel): Promise<ModelStatus> {
        const there = await this.#parts.relayed.look(actor, model).catch(toProviderError);
        if (isApiError(there, 'MODEL_NOT_FOUND')) throw there;
        if (isApiError(there)) return { ...unknown(model), ...away(there.data?.code ?? 'PROVIDER_ERROR') };
        if (!there.isLoaded(model) && !there.isOnDisk(model)) {
            throw apiError('MODEL_NOT_FOUND', { details: { model: model.id } });
        }
        return { ...unknown(model), ...standing(model, there, NO_LOADS, false) };
    }

    #loadable(idOrAlias: string): Model {
        const model = this.#parts.models.get(idOrAlias);
        if (model.requiresLoading && model.provider === 'ollama') return model;
        throw apiError('MODEL_NOT_LOADABLE', { details: { model: model.id } });
    }

    /** What is known of a model's loads; one whose process is gone is ended before. */
    async #known(model: Model): Promise<ModelLoads> {
        const { store, loads } = this.#parts;
        const known = await store.readModel(model.id);
        if (!known.job?.isOrphan) return known;
        await loads.sweep();
        return store.readModel(model.id);
    }
}

const toEvent = (number: number, [event, data]: LoadEvent): ServerSentEvent => ({ id: String(number), event, data });

const unknown = ({ id }: Model) => ({
    modelId: id,
    loadProgress: null,
    memoryUsage: null,
    lastLoaded: null,
    estimatedLoadTime: null,
    reason: null,
    jobId: null,
});

const NO_LOADS: ModelLoads = { job: null, loadedAt: null, loadMs: null };

const away = (reason: ErrorCode) => ({ status: 'unavailable' as const, reason });

/** How a model stands that nobody loads at the moment. */
function standing(model: Model, there: ModelsThere, { job, loadMs }: ModelLoads, mayPull: boolean) {
    if (there.isLoaded(model)) {
        return { status: 'loaded' as const, loadProgress: 100, memoryUsage: sizeText(there.memoryBytes(model)) };
    }
    const estimatedLoadTime = there.isOnDisk(model) ? seconds(loadMs) : null;
    if (job?.state === 'error') return { status: 'error' as const, reason: job.errorCode, estimatedLoadTime };
    if (!there.isOnDisk(model) && !mayPull) return away('MODEL_NOT_ON_DISK');
    return { status: 'not_loaded' as const, estimatedLoadTime };
}

const timeText = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

const seconds = (milliseconds: number | null): number | null =>
    milliseconds === null ? null : Math.ceil(milliseconds / 1000);

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** As in `2.1GB`. */
function sizeText(bytes: number | null): string | null {
    if (bytes === null) return null;
    return bytes >= GIB ? `${(bytes / GIB).toFixed(1)}GB` : `${Math.ceil(bytes / MIB)}MB`;
}
