import { aggregateReader } from './stored-values.ts';

import type { AggregateKind, Component, StoredValue } from './aggregate.ts';
import type { Datastore } from './datastore.ts';

export interface PartKind {
    kind: string;
    component: Component;
    /** By the hash's parts after the tenant. */
    key: string;
    fields: string[];
}

/** Fields of a hash that others have too; they are told also where none is set, so that this comes back too. */
export function partKind(
    store: Datastore,
    { kind, component, ...part }: PartKind,
    keyOf: (tenantId: string) => string,
) {
    const read = aggregateReader(store);
    const own = (value: StoredValue | undefined): StoredValue => ({
        type: 'hash',
        fields: value?.type === 'hash' ? value.fields.filter(([name]) => part.fields.includes(name)) : [],
    });
    return {
        kind,
        component,
        part,
        async *ids() {
            yield [kind];
        },
        async read(tenantId, id) {
            const found = await read(tenantId, kind, id, [keyOf(tenantId)]);
            return { kind, id, values: { [part.key]: own(found?.values[part.key]) } };
        },
        settled: (aggregate) => aggregate,
        indexes: () => [],
        leftovers: () => Promise.resolve([]),
    } satisfies AggregateKind;
}
