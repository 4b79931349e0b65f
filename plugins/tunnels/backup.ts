import { asciiLowerCase, hashOf, withFields } from '../../src/redis/stored-values.ts';

import type { BackupStore } from './backup-store.ts';
import type { ItemStore } from './item-store.ts';
import type { TunnelStore } from './store.ts';
import type { Aggregate, AggregateKind, Carried, IndexEntry } from '../../src/redis/aggregate.ts';

const keyOf = (id: string): string => `tunnel:${id}`;
const recordOf = (tunnel: Aggregate): Record<string, string> => hashOf(tunnel, keyOf(tunnel.id));

/** Tunnels with their endpoints and shares with users. @param userIds Those of a tenant, some at a time */
export const tunnelAggregates = (
    { records }: TunnelStore,
    items: ItemStore,
    store: BackupStore,
    userIds: (tenantId: string) => AsyncIterable<string[]>,
): AggregateKind => ({
    kind: 'tunnel',
    component: 'database',
    async *ids(tenantId) {
        for await (const owners of userIds(tenantId)) {
            for (const ownerId of owners) yield* records.ids({ tenantId, ownerId }, 'created');
        }
    },
    read: store.read,
    settled,
    owner: (tunnel) => `user/${recordOf(tunnel).userId}`,
    indexes(tunnel) {
        const record = recordOf(tunnel);
        const { userId = '', name = '' } = record;
        const names = ['user', userId, 'tunnels', 'names'];
        return [
            ...records.indexes(record, ['shared']),
            { key: names, type: 'hash', field: asciiLowerCase(name), value: tunnel.id },
            ...itemsIn(tunnel, 'tunnel-endpoint').flatMap((endpoint) => items.endpoints.indexes(endpoint)),
            ...itemsIn(tunnel, 'tunnel-share').flatMap((share) => [
                ...items.shares.indexes(share),
                ...sharedWith(tunnel.id, share),
            ]),
        ];
    },
    leftovers: store.leftovers,
    carried: (tunnel) => ['links', 'epoch'].flatMap((field) => numberIn(tunnel, field)),
    forget: store.forget,
});

/** Nobody holds a link any more: it is waited for, as after the death of the process that did. */
function settled(tunnel: Aggregate): Aggregate {
    const { status, connectedAt = null } = recordOf(tunnel);
    const noLink = { connectionId: null, lostId: null, linkUntil: null };
    const lost = { status: 'disconnected', reason: 'restored', disconnectedAt: connectedAt };
    return withFields(tunnel, keyOf(tunnel.id), { ...noLink, ...(status === 'connected' && lost) });
}

/** Links are numbered, and one that is not newer than the last is refused. */
function numberIn(tunnel: Aggregate, field: string): Carried[] {
    const atLeast = recordOf(tunnel)[field];
    return atLeast === undefined ? [] : [{ key: keyOf(tunnel.id), field, atLeast }];
}

const itemsIn = (tunnel: Aggregate, kind: string): Record<string, string>[] =>
    Object.keys(tunnel.values)
        .filter((key) => key.startsWith(`${kind}:`))
        .map((key) => hashOf(tunnel, key));

const sharedWith = (
    tunnelId: string,
    { id = '', userId = '', access = '', createdAt = '0' }: Record<string, string>,
): IndexEntry[] => [
    { key: ['tunnel', tunnelId, 'shared-with'], type: 'hash', field: userId, value: `${access}:${id}` },
    { key: ['user', userId, 'shared-tunnels'], type: 'zset', member: tunnelId, score: createdAt },
];
