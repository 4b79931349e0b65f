import { apiError } from '../../src/http/errors.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists } from '../../src/redis/outbox.ts';

import type { ApiKey } from './api.ts';
import type { ChangeOptions, Collection, Place } from '../../src/redis/collection.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

/** No backup is kept for longer. */
const KNOWN_MS = 366 * 24 * 3_600_000;

/** Keys that were revoked: they are known for some time, so that no backup brings them back. */
export function createRevocations(store: Datastore, records: Collection<ApiKey>) {
    const run = store.script(new URL('./lua/revoke-key.lua', import.meta.url));
    return {
        /** @throws KEY_NOT_FOUND, REVISION_MISMATCH */
        revoke: async (place: Place, id: string, { revision, outbox = {} }: ChangeOptions): Promise<void> => {
            const { tenantId, ownerId = '' } = place;
            const order = records.orderKey(place, 'created');
            const keys = [records.key(tenantId, id), order, revokedKey(tenantId), ...outboxKeys(tenantId)];
            const guard = {
                id,
                ownerField: 'userId',
                ownerId,
                ...(revision !== undefined && { revision: String(revision) }),
            };
            const change = { ...guard, known: KNOWN_MS, ...outboxLists(outbox) };
            const code = await run(keys, [JSON.stringify(change)]);
            if (code !== 1) throw apiError(code === -1 ? 'REVISION_MISMATCH' : 'KEY_NOT_FOUND');
        },

        /** Removes a key that came back from a backup though it was revoked. */
        removeRevoked: async (tenantId: string, id: string): Promise<void> => {
            if ((await store.redis.zscore(revokedKey(tenantId), id)) === null) return;
            const key = await records.find({ tenantId }, id);
            if (!key) return;
            const order = records.orderKey({ tenantId, ownerId: key.userId }, 'created');
            await store.redis.multi().unlink(records.key(tenantId, id)).zrem(order, id).exec();
        },
    };
}

const revokedKey = (tenantId: string): string => tenantKey(tenantId, 'revoked-keys');
