import { deliveryOf } from './consumer.ts';
import { causeOf } from './delivery-store.ts';
import { auditOf } from './outbox.ts';
import { formatBody } from './sender/format.ts';
import { matches } from './sender/index.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { Delivery } from './api.ts';
import type { StoredDelivery } from './delivery-codec.ts';
import type { DeliveryQueue } from './delivery-queue.ts';
import type { DeliveryParams, DeliveryView, Replay } from './delivery-schemas.ts';
import type { DeliveryPageQuery, DeliveryStore, NewDelivery } from './delivery-store.ts';
import type { Webhooks } from './service.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { EventFeature, TenantEvent } from '../events/api.ts';

/** How many events are replayed by one request. */
export const MOST_REPLAYED = 1_000;
/** How many are looked at, whatever the filter lets through. */
export const MOST_LOOKED_AT = 20_000;

export interface DeliveryParts {
    webhooks: Webhooks;
    deliveries: DeliveryStore;
    queue: DeliveryQueue;
    events: Pick<EventFeature, 'since'>;
    append: AppendOutbox;
}

/** What became of the events that webhooks are told of, for admins. */
export class Deliveries {
    readonly #parts: DeliveryParts;

    constructor(parts: DeliveryParts) {
        this.#parts = parts;
    }

    /** @throws WEBHOOK_NOT_FOUND, INVALID_CURSOR */
    async list(actor: Actor, webhookId: string, query: DeliveryPageQuery) {
        const { webhooks, deliveries } = this.#parts;
        await webhooks.get(actor, webhookId);
        return deliveries.list(actor.tenantId, webhookId, query);
    }

    /** @throws WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND */
    async get(actor: Actor, { webhookId, deliveryId }: DeliveryParams): Promise<DeliveryView> {
        const { webhooks, deliveries } = this.#parts;
        await webhooks.get(actor, webhookId);
        const { delivery, attempts } = await deliveries.get({ tenantId: actor.tenantId, webhookId, deliveryId });
        return { delivery: publicDelivery(delivery), attempts, body: formatBody(delivery, delivery.event) };
    }

    /**
     * Attempts a delivery again at once, whatever has become of it; with the very same body.
     *
     * @throws WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND, WEBHOOK_DISABLED
     */
    async retry(actor: Actor, { webhookId, deliveryId }: DeliveryParams): Promise<Delivery> {
        const { deliveries, queue } = this.#parts;
        const { tenantId } = actor;
        const audit = [auditOf(actor, 'retry_delivery', webhookId, { deliveryId })];
        const delivery = await deliveries.retry({ tenantId, webhookId, deliveryId }, { audit });
        await queue.add(tenantId, [{ deliveryId, webhookId, round: delivery.round, ...causeOf(delivery.event) }]);
        return publicDelivery(delivery);
    }

    /**
     * Sends what happened since then again, oldest first: also what was delivered, and what the webhook was not there
     * for yet. A thousand events at most, out of twenty thousand.
     *
     * @throws WEBHOOK_NOT_FOUND, WEBHOOK_DISABLED
     */
    async replay(actor: Actor, webhookId: string, since: Date): Promise<Replay> {
        const { webhooks, deliveries, queue, events, append } = this.#parts;
        const { tenantId } = actor;
        const webhook = await webhooks.get(actor, webhookId);
        if (!webhook.isActive) throw apiError('WEBHOOK_DISABLED');
        const details = { since: isoTime(since.getTime()) };
        await append(tenantId, { audit: [auditOf(actor, 'replay', webhookId, details)] });
        const isWanted = (event: TenantEvent) => matches(webhook.filter, event);
        let count = 0;
        let looked = 0;
        for await (const batch of events.since(tenantId, since)) {
            if (looked >= MOST_LOOKED_AT) return { count, nextSince: batch[0]?.timestamp ?? null };
            looked += batch.length;
            const found = batch.filter(isWanted);
            const wanted: NewDelivery[] = found
                .slice(0, MOST_REPLAYED - count)
                .map((event) => deliveryOf(event, webhook));
            await queue.add(tenantId, await deliveries.store(tenantId, wanted, true));
            count += wanted.length;
            const next = found[wanted.length];
            if (next) return { count, nextSince: next.timestamp };
        }
        return { count, nextSince: null };
    }
}

const publicDelivery = ({
    round: _round,
    event: _event,
    format: _f,
    mapping: _m,
    ...delivery
}: StoredDelivery): Delivery => delivery;
