import type { RecordBase } from '../../src/redis/codec.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Plan } from '../tenants/api.ts';

export type BulkAction = 'suspend' | 'activate' | 'tier' | 'delete';

/** One user of a bulk change. */
export interface BulkItem {
    tenantId: string;
    userId: string;
}

/** What is asked for. */
export interface NewBulk {
    action: BulkAction;
    reason?: string;
    tier?: Plan | null;
    users: BulkItem[];
}

/** A bulk change as the API shows it; its results are counted as they come. */
export interface PublicBulk {
    id: string;
    action: BulkAction;
    reason: string | null;
    tier: Plan | null;
    state: 'queued' | 'running' | 'completed';
    total: number;
    done: number;
    failed: number;
    createdAt: string;
    startedAt: string | null;
    finishedAt: string | null;
    /** Who asked for it. */
    by: string;
}

/** A bulk change as it is stored. */
export interface Bulk extends PublicBulk, RecordBase {
    /** In whose name it is done. */
    actor: Actor;
    /** How many items there are results of. */
    next: number;
    expiresAt: string;
}

/** An item that could not be done, and why. */
export interface BulkFailure extends BulkItem {
    code: string;
}
