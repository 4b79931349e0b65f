import { aggregateReader, asciiLowerCase, hashOf, withFields, withoutTenant } from '../../src/redis/stored-values.ts';

import type { ProxyPlace } from './api.ts';
import type { ProxyStore } from './store.ts';
import type { Aggregate, AggregateKind } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

const RUNS = ['running', 'degraded', 'error'];
const keyOf = (id: string): string => `proxy:${id}`;
const recordOf = (proxy: Aggregate): Record<string, string> => hashOf(proxy, keyOf(proxy.id));

export interface BackupParts {
    store: ProxyStore;
    userIds: (tenantId: string) => AsyncIterable<string[]>;
    /** What is known of its members now. */
    healthKey: (place: ProxyPlace) => string;
    /** Removes what is told of the past of a proxy. */
    forget: (place: ProxyPlace) => Promise<void>;
}

/** Proxies. */
export function proxyAggregates(
    datastore: Datastore,
    { store, userIds, healthKey, forget }: BackupParts,
): AggregateKind {
    const { records } = store;
    const read = aggregateReader(datastore);
    return {
        kind: 'proxy',
        component: 'database',
        async *ids(tenantId) {
            for await (const owners of userIds(tenantId)) {
                for (const ownerId of owners) yield* records.ids({ tenantId, ownerId }, 'created');
            }
        },
        read: (tenantId, id) => read(tenantId, 'proxy', id, [records.key(tenantId, id)]),
        settled,
        owner: (proxy) => `user/${recordOf(proxy).userId}`,
        indexes(proxy) {
            const record = recordOf(proxy);
            const { userId = '', name = '' } = record;
            const names = ['user', userId, 'proxies', 'names'];
            return [
                ...records.indexes(record),
                { key: names, type: 'hash', field: asciiLowerCase(name), value: proxy.id },
            ];
        },
        leftovers: (tenantId, proxyId) => Promise.resolve([withoutTenant(tenantId, healthKey({ tenantId, proxyId }))]),
        // The changes of its status are numbered.
        carried(proxy) {
            const { changes } = recordOf(proxy);
            return changes === undefined ? [] : [{ key: keyOf(proxy.id), field: 'changes', atLeast: changes }];
        },
        forget: (tenantId, proxyId) => forget({ tenantId, proxyId }),
    };
}

/** One that ran is idle: its next request starts it, and has it watched again. */
function settled(proxy: Aggregate): Aggregate {
    const { status = '' } = recordOf(proxy);
    const looks = { startedAt: null, sampledAt: null, highSince: null, lowSince: null };
    const idle = { status: 'stopped', reason: 'idle', recovery: null, recoveryAt: null, ...looks };
    return RUNS.includes(status) ? withFields(proxy, keyOf(proxy.id), idle) : proxy;
}
