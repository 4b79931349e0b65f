import { partKind, type PartKind } from '../../src/redis/part-kind.ts';
import { aggregateReader } from '../../src/redis/stored-values.ts';

import type { AggregateKind } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

const KIND = 'spending-limits';

/** What may be spent in a month, and what balance counts as low; credits themselves are never turned back. */
export function billingAggregates(store: Datastore, keyOf: (tenantId: string) => string): AggregateKind[] {
    const read = aggregateReader(store);
    const limits: AggregateKind = {
        kind: KIND,
        component: 'config',
        async *ids() {
            yield [KIND];
        },
        read: (tenantId, id) => read(tenantId, KIND, id, [`${keyOf(tenantId)}:limits`]),
        settled: (aggregate) => aggregate,
        indexes: () => [],
        leftovers: () => Promise.resolve([]),
    };
    const lowCredit: PartKind = { kind: 'low-credit', component: 'config', key: 'credits', fields: ['lowCredit'] };
    return [limits, partKind(store, lowCredit, keyOf)];
}
