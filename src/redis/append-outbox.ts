import { luaFile } from './lua-file.ts';
import { outboxKeys, outboxLists, type Outbox } from './outbox.ts';

import type { Datastore } from './datastore.ts';

/** Appends events and audit entries of something that changes no record, as a refused login. */
export type AppendOutbox = (tenantId: string, outbox: Outbox) => Promise<void>;

export function appendOutbox(store: Datastore): AppendOutbox {
    const run = store.script(luaFile('append-outbox'));
    return async (tenantId, outbox) => {
        await run(outboxKeys(tenantId), [JSON.stringify(outboxLists(outbox))]);
    };
}
