import type { StoreMemory } from '../../src/redis/memory-watch.ts';
import type { Actor } from '../../src/types/actor.ts';

/** A place among a user's concurrent generations, kept as long as the process lives or until it is given back. */
export interface Slot {
    /** Never fails: a slot that could not be given back is free when its lease is over. */
    readonly release: () => Promise<void>;
}

/** The port of the limits feature. */
export interface LimitService {
    /**
     * Takes a slot for a generation of that user; waits a short time for one while it is wanted.
     *
     * @throws CONCURRENCY_LIMIT, SHUTTING_DOWN
     */
    takeSlot(actor: Actor, isWanted?: () => boolean): Promise<Slot>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        limits: LimitService & { readonly memory: StoreMemory };
    }
}
