import { aggregateReader, hashOf } from '../../src/redis/stored-values.ts';

import type { KeyStore } from './store.ts';
import type { Aggregate, AggregateKind } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

/** What a key is opened by. */
const SECRETS = ['hash', 'previousHash', 'previousUntil'];

const recordOf = (key: Aggregate): Record<string, string> => hashOf(key, `key:${key.id}`);

/** Service API keys. @param userIds Those of a tenant, some at a time */
export function keyAggregates(
    datastore: Datastore,
    { records, rateKeys, removeRevoked }: KeyStore,
    userIds: (tenantId: string) => AsyncIterable<string[]>,
): AggregateKind {
    const read = aggregateReader(datastore);
    return {
        kind: 'key',
        component: 'database',
        async *ids(tenantId) {
            for await (const owners of userIds(tenantId)) {
                for (const ownerId of owners) yield* records.ids({ tenantId, ownerId }, 'created');
            }
        },
        read: (tenantId, id) => read(tenantId, 'key', id, [records.key(tenantId, id)]),
        settled: (key) => key,
        owner: (key) => `user/${recordOf(key).userId}`,
        indexes: (key) => records.indexes(recordOf(key)),
        leftovers: (tenantId, id) => Promise.resolve(rateKeys(tenantId, id)),
        // A secret that was rotated away opens nothing again, nor does a key that was revoked.
        carried: (key) => {
            const record = recordOf(key);
            return SECRETS.map((field) => ({ key: `key:${key.id}`, field, stays: record[field] ?? null }));
        },
        resume: removeRevoked,
    };
}
