import { luaFile } from './lua-file.ts';

import type { Datastore } from './datastore.ts';

/** How long what was deleted can be restored; after that it is purged. */
export const RESTORABLE_MS = 30 * 24 * 3600 * 1000;

/** How far a deleted record is from its purge: the milliseconds left, and when they are over (epoch ms). */
export interface PurgeTime {
    left: number;
    due: number;
}

/** Gives the function that tells when a record may be purged; null when it does not exist or is not deleted. */
export function timeUntilPurge(store: Datastore): (key: string) => Promise<PurgeTime | null> {
    const run = store.script(luaFile('time-until-purge'));
    return async (key) => {
        const [left, due] = (await run([key], [RESTORABLE_MS])) as number[];
        return left === undefined || due === undefined ? null : { left, due };
    };
}
