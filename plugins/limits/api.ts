import type { Actor } from '../../src/types/actor.ts';

/** A place among a user's concurrent generations, kept as long as the process lives or until it is given back. */
export interface Slot {
    /** Never fails: a slot that could not be given back is free when its lease is over. */
    readonly release: () => Promise<void>;
}

/** The port of the limits feature. */
export interface LimitService {
    /** Takes a slot for a generation of that user. @throws CONCURRENCY_LIMIT */
    takeSlot(actor: Actor): Promise<Slot>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        limits: LimitService;
    }
}
