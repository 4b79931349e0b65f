import type { Usage } from '../models/api.ts';

/** Whose calls. */
export interface UsageOwner {
    tenantId: string;
    userId: string;
}

/** A call of a model that has ended, whichever way. */
export interface EndedCall {
    /** The model that answered; where none did, the one that was asked. */
    modelId: string;
    outcome: 'complete' | 'failed' | 'cancelled' | 'interrupted';
    /** The catalogue code of what it failed with. */
    errorCode: string | null;
    /** Of what came; not counted where the call failed before anything came. */
    usage: Usage | null;
    /** Null where nobody measured it, because the process died. */
    durationMs: number | null;
    /** Null when nothing came, or nobody measured it. */
    timeToFirstTokenMs: number | null;
}

/** The port of the usage feature. */
export interface UsageService {
    /** What the keys of a user's counters begin with, for scripts that count a call by `count_usage` of `usage.lua`. */
    key(owner: UsageOwner): string;
    /** What such a script adds: field, amount, … */
    counts(call: EndedCall): string[];
    /**
     * Counts a call, once however often the store has to be asked. Not waited for, and never fails: what could not be
     * counted within a minute is logged.
     *
     * @param id Of the call: another count of the same within an hour has no effect
     */
    record(owner: UsageOwner, id: string, call: EndedCall): void;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        usage: UsageService;
    }
}
