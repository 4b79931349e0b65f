import { backupKeys } from './keys-store.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** What there is to do for a tenant; ids. */
export interface DueWork {
    /** When it was looked, by the clock of Redis: one process whose own is wrong must not remove what others keep. */
    at: number;
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
    readonly #look: RunScript;

    constructor(store: Datastore) {
        this.#store = store;
        this.#look = store.script(new URL('./lua/look-for-due.lua', import.meta.url));
    }

    async look(tenantId: string): Promise<DueWork> {
        const { schedulesDue, running, restoring, deleting, expiring } = backupKeys(tenantId);
        const reply = await this.#look([schedulesDue, running, restoring, deleting, expiring], [MOST]);
        const [at, schedules, backup, restore, gone, expired, idle] = reply as [
            number,
            string[],
            string,
            string,
            string[],
            string[],
            number,
        ];
        return {
            at,
            schedules,
            running: backup || null,
            restoring: restore || null,
            deleting: gone,
            expired,
            isIdle: idle === 1,
        };
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
