import type { Model } from './api.ts';

/** What a model server has at a moment. */
export interface ModelsThere {
    isLoaded(model: Model): boolean;
    isOnDisk(model: Model): boolean;
    /** Of a loaded one; null when it was not told. */
    memoryBytes(model: Model): number | null;
}

/** How much of a model has come so far; null until that is known. */
export interface PullState {
    completedBytes: number | null;
    totalBytes: number | null;
}

/** A model server of our own, whose models are loaded before they answer. Failures may be of any kind. */
export interface LocalModels {
    /** @throws PROVIDER_ERROR, PROVIDER_TIMEOUT, PROVIDER_OVERLOADED */
    look(): Promise<ModelsThere>;
    /** Fetches a model from the network; ends when it is whole. */
    pull(model: Model, signal: AbortSignal): AsyncIterable<PullState>;
    /** Settled when the model is in memory. */
    load(model: Model, signal: AbortSignal): Promise<void>;
    unload(model: Model, signal: AbortSignal): Promise<void>;
}
