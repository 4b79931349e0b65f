import { setTimeout as sleepFor } from 'node:timers/promises';

import { retryDelay } from './retries.ts';
import { apiError, isApiError, type ApiError } from '../../src/http/errors.ts';

import type { Model } from './api.ts';
import type { LoadJob, LoadProgress } from './load-store.ts';
import type { LocalModels, PullState } from './local-models.ts';

/** A model is not fetched to its end before it is in memory too. */
const MAX_PULL_PROGRESS = 99;
const UNKNOWN = { completedBytes: null, totalBytes: null };

export interface LoadWork {
    local: LocalModels;
    model: Model;
    /** Whether it may be fetched from the network. */
    mayPull: boolean;
    /** Told whenever there is something new to tell, one after the other. */
    onProgress: (progress: LoadProgress) => Promise<void>;
    signal: AbortSignal;
}

export interface Loaded {
    work: NonNullable<LoadJob['work']>;
    /** How long it took to put it into memory, where that had to be done. */
    loadMs?: number;
}

/** The catalogue's error for whatever a model server failed with. */
export const toProviderError = (error: unknown): ApiError =>
    isApiError(error) ? error : apiError('PROVIDER_ERROR', { cause: error });

/**
 * Puts a model into memory, fetched before if it is not on the disk; three tries where another one may help.
 *
 * @throws What the signal was aborted with; PROVIDER_… errors, MODEL_NOT_ON_DISK
 */
export async function loadModel(work: LoadWork): Promise<Loaded> {
    const progress = new Progress(work.onProgress);
    for (let tries = 1; ; tries++) {
        try {
            return await tryOnce(work, progress);
        } catch (cause) {
            work.signal.throwIfAborted();
            const error = toProviderError(cause);
            const delayMs = retryDelay(error, tries, Math.random);
            if (delayMs === null) throw error;
            await sleepFor(delayMs, undefined, { signal: work.signal }).catch(() => work.signal.throwIfAborted());
        }
    }
}

/** Looks first: what an earlier try or somebody else has done is not done again. */
async function tryOnce({ local, model, mayPull, signal }: LoadWork, progress: Progress): Promise<Loaded> {
    signal.throwIfAborted();
    const there = await local.look();
    if (there.isLoaded(model)) return { work: progress.hasPulled ? 'pulled' : 'none' };
    if (!there.isOnDisk(model)) {
        if (!mayPull) throw apiError('MODEL_NOT_ON_DISK');
        await progress.pulling(UNKNOWN);
        for await (const state of local.pull(model, signal)) await progress.pulling(state);
    }
    await progress.loading();
    const began = performance.now();
    await local.load(model, signal);
    return { work: progress.hasPulled ? 'pulled' : 'loaded', loadMs: performance.now() - began };
}

/** Tells of each whole per cent once, and never of less than before: layers come one after the other. */
class Progress {
    readonly #tell: LoadWork['onProgress'];
    #last: LoadProgress | null = null;
    #percent: number | null = null;
    hasPulled = false;

    constructor(tell: LoadWork['onProgress']) {
        this.#tell = tell;
    }

    async pulling({ completedBytes, totalBytes }: PullState): Promise<void> {
        this.hasPulled = true;
        if (completedBytes !== null && totalBytes !== null) {
            const percent = Math.floor((100 * completedBytes) / totalBytes);
            this.#percent = Math.min(MAX_PULL_PROGRESS, Math.max(percent, this.#percent ?? 0));
        }
        await this.#set({ phase: 'pulling', loadProgress: this.#percent, completedBytes, totalBytes });
    }

    /** How far this is nobody tells. */
    loading(): Promise<void> {
        const { completedBytes, totalBytes } = this.#last ?? UNKNOWN;
        return this.#set({ phase: 'loading', loadProgress: this.#percent, completedBytes, totalBytes });
    }

    async #set(progress: LoadProgress): Promise<void> {
        const isNews = progress.phase !== this.#last?.phase || progress.loadProgress !== this.#last.loadProgress;
        this.#last = progress;
        if (isNews) await this.#tell(progress);
    }
}
