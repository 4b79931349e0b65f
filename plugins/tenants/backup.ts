import { partKind } from '../../src/redis/part-kind.ts';

import type { AggregateKind } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

/** What the tenant's admin has set, and what its plan allows; the rest of the record is not turned back. */
export const tenantAggregates = (store: Datastore, keyOf: (tenantId: string) => string): AggregateKind[] => [
    partKind(store, { kind: 'tenant-settings', component: 'config', key: 'info', fields: ['settings'] }, keyOf),
    partKind(store, { kind: 'tenant-plan', component: 'deployment', key: 'info', fields: ['plan', 'limits'] }, keyOf),
];
