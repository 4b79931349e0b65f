import { backupKeys } from './keys-store.ts';

import type { Datastore } from '../../src/redis/datastore.ts';

/** What there is to do for a tenant; ids. */
export interface DueWork {
    schedules: string[];
    running: string | null;
    restoring: string | null;
    deleting: string[];
    expired: string[];
    /** Neither now nor later. */
    isIdle: boolean;
}

const MOST = 50;

/** What is due in a tenant. */
export class DueStore {
    readonly #store: Datastore;

    constructor(store: Datastore) {
        this.#store = store;
    }

    async look(tenantId: string, now: number): Promise<DueWork> {
        const { redis } = this.#store;
        const keys = backupKeys(tenantId);
        const [schedules, running, restoring, deleting, expired, later, kept] = await Promise.all([
            redis.zrangebyscore(keys.schedulesDue, '-inf', now, 'LIMIT', 0, MOST),
            redis.get(keys.running),
            redis.hget(keys.restoring, 'id'),
            redis.zrange(keys.deleting, '0', String(MOST - 1)),
            redis.zrangebyscore(keys.expiring, '-inf', now, 'LIMIT', 0, MOST),
            redis.zcard(keys.schedulesDue),
            redis.zcard(keys.expiring),
        ]);
        const isIdle = later + kept + deleting.length === 0 && running === null && restoring === null;
        return { schedules, running, restoring, deleting, expired, isIdle };
    }

    /** Ids of all backups that may have an archive, some at a time; the list is walked once. */
    async *all(tenantId: string): AsyncGenerator<string[]> {
        const { redis } = this.#store;
        const { created, deleting } = backupKeys(tenantId);
        for (const list of [created, deleting]) {
            for (let from = 0; ; from += MOST) {
                const ids = await redis.zrange(list, String(from), String(from + MOST - 1));
                if (ids.length === 0) break;
                yield ids;
            }
        }
    }

    /** When the lease on a record ends that somebody works on; 0 where nobody does. */
    async heldUntil(key: string): Promise<number> {
        return Number((await this.#store.redis.hget(key, 'heldUntil')) ?? 0);
    }
}
