import { aggregateReader, hashOf, withFields } from '../../src/redis/stored-values.ts';

import type { WebhookStore } from './store.ts';
import type { Aggregate, AggregateKind } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

export interface BackupParts {
    store: WebhookStore;
    /** Has the tenant's events handed over to its webhooks. */
    subscribe: (tenantId: string) => Promise<void>;
    /** Removes the deliveries of a webhook that is gone. */
    forget: (tenantId: string, webhookId: string) => Promise<void>;
    /** Removes what a deletion has left of a webhook that is back; of another one nothing. */
    endRemoval: (tenantId: string, webhookId: string) => Promise<void>;
}

/** Webhooks with their secrets as sealed. Deliveries are no part of them: those of one that stays are what they were. */
export function webhookAggregates(
    datastore: Datastore,
    { store, subscribe, forget, endRemoval }: BackupParts,
): AggregateKind {
    const { records } = store;
    const read = aggregateReader(datastore);
    return {
        kind: 'webhook',
        component: 'config',
        ids: (tenantId) => records.ids({ tenantId }, 'created'),
        read: (tenantId, id) => read(tenantId, 'webhook', id, [records.key(tenantId, id)]),
        settled: (webhook) => withFields(webhook, keyOf(webhook), UNTRIED),
        indexes: (webhook) => records.indexes(hashOf(webhook, keyOf(webhook))),
        leftovers: () => Promise.resolve([]),
        // Its receiver knows the secret of now; one that was changed, because it was known to others, does not come back.
        carried(webhook) {
            const record = hashOf(webhook, keyOf(webhook));
            return SECRETS.map((field) => ({ key: keyOf(webhook), field, stays: record[field] ?? null }));
        },
        forget,
        async resume(tenantId, id) {
            await endRemoval(tenantId, id);
            await subscribe(tenantId);
        },
    };
}

/** What deliveries are signed with. */
const SECRETS = ['secret', 'previousSecret', 'previousSecretExpiresAt'];

const keyOf = ({ id }: Aggregate): string => `webhook:${id}`;

/** What its receiver did at that time; the patience with it begins anew. */
const UNTRIED = { failingSince: null, lastDeliveryAt: null, lastStatus: null };
