import { summaryTerms, titleTerms, type ThreadTerms } from './search-terms.ts';
import { hashOf } from '../../src/redis/stored-values.ts';

import type { ThreadModel } from './api.ts';
import type { BackupStore } from './backup-store.ts';
import type { ThreadStore } from './store.ts';
import type { Aggregate, AggregateKind, IndexEntry } from '../../src/redis/aggregate.ts';

/**
 * Threads with their messages and summaries. An answer that is on its way is no message yet: it is not told, and of a
 * thread that is taken away it ends without a trace.
 *
 * @param userIds Those of a tenant, some at a time
 */
export const threadAggregates = (
    { threads }: ThreadStore,
    store: BackupStore,
    userIds: (tenantId: string) => AsyncIterable<string[]>,
): AggregateKind => ({
    kind: 'thread',
    component: 'database',
    async *ids(tenantId) {
        for await (const owners of userIds(tenantId)) {
            for (const ownerId of owners) yield* threads.ids({ tenantId, ownerId }, 'created_at');
        }
    },
    read: store.read,
    settled: (thread) => thread,
    owner: (thread) => `user/${recordOf(thread).userId}`,
    indexes: (thread) => [...threads.indexes(recordOf(thread)), ...termsIn(thread)],
    leftovers: store.leftovers,
});

const recordOf = (thread: Aggregate): Record<string, string> => hashOf(thread, `thread:${thread.id}`);

/** What a search finds the thread by: as `terms.lua` keeps it. */
function termsIn(thread: Aggregate): IndexEntry[] {
    const { title = null, models = '{}', userId = '' } = recordOf(thread);
    const summaries = Object.keys(JSON.parse(models) as Record<string, ThreadModel>).map((model) => {
        const { text = null } = hashOf(thread, `thread:${thread.id}:model:${model}:summary`);
        return summaryTerms(model, text);
    });
    const terms: ThreadTerms = Object.assign({}, titleTerms(title), ...summaries);
    const found = new Set(Object.values(terms).flat());
    return [
        { key: ['thread', thread.id, 'terms'], type: 'hash', field: 'terms', value: JSON.stringify(terms) },
        ...[...found].map((term) => ({
            key: ['user', userId, 'threads', 'terms'],
            type: 'zset' as const,
            member: `${term}\0${thread.id}`,
            score: '0',
        })),
    ];
}
