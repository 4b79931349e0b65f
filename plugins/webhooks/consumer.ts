import { deliveryId } from './delivery-id.ts';
import { matches } from './sender/index.ts';
import { CONSUMER } from './subscription.ts';

import type { Webhook } from './api.ts';
import type { DeliveryQueue } from './delivery-queue.ts';
import type { DeliveryStore, NewDelivery } from './delivery-store.ts';
import type { WebhookStore } from './store.ts';
import type { EventConsumer, TenantEvent } from '../events/api.ts';

export interface ConsumerParts {
    store: WebhookStore;
    deliveries: DeliveryStore;
    queue: DeliveryQueue;
    /** @throws TENANT_RESTORING While the tenant's webhooks are being put back, and may not all be there */
    checkRestoring: (tenantId: string) => Promise<void>;
}

/** The delivery of an event to a webhook, as its settings are now. */
export const deliveryOf = (event: TenantEvent, { id: webhookId, format, mapping }: Webhook): NewDelivery => ({
    id: deliveryId(event, webhookId),
    webhookId,
    event,
    format,
    mapping,
});

/**
 * Makes deliveries of the events of the relay: one for each event and webhook, however often and by whomever it is
 * called with them. Only when each has its job the relay is told that they are taken.
 */
export const webhookConsumer = ({ store, deliveries, queue, checkRestoring }: ConsumerParts): EventConsumer => ({
    name: CONSUMER,
    async take(tenantId, events) {
        await checkRestoring(tenantId);
        const webhooks = (await store.all(tenantId)).filter(({ isActive }) => isActive);
        const wanted = events.flatMap((event) =>
            webhooks.filter(({ filter }) => matches(filter, event)).map((webhook) => deliveryOf(event, webhook)),
        );
        await queue.add(tenantId, await deliveries.store(tenantId, wanted));
    },
});
