import { luaFile } from './lua-file.ts';
import { outboxKeys, outboxLists, type Outbox } from './outbox.ts';
import { apiError, type ErrorCode } from '../http/errors.ts';

import type { Datastore } from './datastore.ts';

/** A record still to be created: `createRecords` writes several at once. */
export interface Draft {
    keys: string[];
    taken: ErrorCode[];
    change: {
        id: string;
        fields: string[];
        unique: string[];
        orders: string[];
        words: string[][];
        expiresAt?: number;
    };
}

/** The new record's id is in use. */
export class RecordExistsError extends Error {}

/**
 * Gives the function that creates records of one tenant in one script: all or none, with events and audit entries. It
 * returns the time of creation in milliseconds.
 *
 * @throws The `taken` error of a unique field's collection; RecordExistsError
 */
export function createRecords(store: Datastore) {
    const run = store.script(luaFile('create-records'));
    return async (tenantId: string, drafts: Draft[], outbox: Outbox = {}): Promise<number> => {
        const keys = [...outboxKeys(tenantId), ...drafts.flatMap((draft) => draft.keys)];
        const records = drafts.map((draft) => draft.change);
        const result = (await run(keys, [JSON.stringify({ records, ...outboxLists(outbox) })])) as number[];
        const [created, second = 0, unique = 0] = result;
        if (created === 1) return second;
        const taken = drafts[second - 1]?.taken[unique - 1];
        throw taken ? apiError(taken) : new RecordExistsError();
    };
}
