import { answerKeys, type ThreadStore } from './store.ts';
import { toAggregate, withoutTenant } from '../../src/redis/stored-values.ts';

import type { Aggregate } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Whole threads for backups, and what else there is of one. */
export function createBackupStore(store: Datastore, threadStore: ThreadStore) {
    const { threads } = threadStore;
    const read = store.rawScript(lua('read-aggregate'));
    const list = store.script(lua('list-leftovers'));
    return {
        read: async (tenantId: string, id: string): Promise<Aggregate | null> =>
            toAggregate(tenantId, 'thread', id, await read([threads.key(tenantId, id)], [])),
        leftovers: async (tenantId: string, id: string): Promise<string[]> => {
            const [terms] = threadStore.termKeys({ tenantId, ownerId: '-' }, id);
            const found = await list([threads.key(tenantId, id), terms, answerKeys(tenantId)], []);
            return (found as string[]).map((key) => withoutTenant(tenantId, key));
        },
    };
}

export type BackupStore = ReturnType<typeof createBackupStore>;
