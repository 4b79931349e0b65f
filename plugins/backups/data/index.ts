import { setTimeout as sleep } from 'node:timers/promises';

import { RestoreStore } from './restore-store.ts';
import { partsOf, Stage } from './stage.ts';
import { Swap } from './swap.ts';

import type { Aggregate, AggregateKind, Component } from '../../../src/redis/aggregate.ts';
import type { Datastore } from '../../../src/redis/datastore.ts';
import type { TenantData } from '../api.ts';

/** The longest that a request takes. */
export const GRACE_MS = 30_000;

export interface TenantDataOptions {
    store: Datastore;
    /** In the order in which they are told: those that own others first. */
    kinds: AggregateKind[];
    /** Which of those users have what runs elsewhere, so that they must not vanish. */
    bound: (tenantId: string, userIds: string[]) => Promise<string[]>;
    /** How long requests are waited for that were admitted before the lock; another one in tests. */
    graceMs?: number;
    /** How many keys a step is about. */
    step?: number;
    wait?: (milliseconds: number) => Promise<unknown>;
}

/** A tenant's records as aggregates, over what the features tell of theirs. */
export function openTenantData({
    store,
    kinds,
    bound,
    graceMs = GRACE_MS,
    wait = sleep,
    ...more
}: TenantDataOptions): TenantData {
    const restores = new RestoreStore(store, partsOf(kinds), more.step);
    const stage = new Stage(restores, kinds);
    const swap = new Swap(restores, { kinds, bound, graceMs, wait });
    return {
        read: (tenantId, components) => readAll(kinds, tenantId, components),
        stage: (tenantId, restoreId, aggregates) => stage.all({ tenantId, restoreId }, aggregates),
        swap: (tenantId, restoreId, components, outbox) => swap.run({ tenantId, restoreId }, components, outbox),
        discard: (tenantId, restoreId) => restores.discard({ tenantId, restoreId }),
    };
}

async function* readAll(kinds: AggregateKind[], tenantId: string, components: Component[]): AsyncGenerator<Aggregate> {
    for (const kind of kinds.filter(({ component }) => components.includes(component))) {
        for await (const ids of kind.ids(tenantId)) {
            for (const id of ids) {
                const aggregate = await kind.read(tenantId, id);
                if (aggregate) yield kind.settled(aggregate);
            }
        }
    }
}
