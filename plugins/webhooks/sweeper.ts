import type { DeliveryQueue } from './delivery-queue.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { WebhookStore } from './store.ts';
import type { Subscription } from './subscription.ts';
import type { Clock } from '../../src/clock.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export const SWEEP_WEBHOOKS = 'sweep-webhooks';
export const REMOVE_DELIVERIES = 'remove-webhook-deliveries';
export const SWEEP_EVERY_MS = 60_000;
/** A delivery that should have been attempted so long ago may have lost its job. */
const LATE_MS = 120_000;

export interface SweeperParts {
    due: DueTenants;
    store: WebhookStore;
    deliveries: DeliveryStore;
    queue: DeliveryQueue;
    subscription: Subscription;
    clock: Clock;
    logger: Logger;
}

/** Takes up what a crash has left lying: deliveries without a job, and those of webhooks that were deleted. */
export class Sweeper {
    readonly #parts: SweeperParts;

    constructor(parts: SweeperParts) {
        this.#parts = parts;
    }

    /** Looks at all tenants that are due, until the next round begins. */
    async sweep(): Promise<void> {
        const { due, clock, logger } = this.#parts;
        const end = clock() + SWEEP_EVERY_MS;
        for await (const found of due.batches()) {
            for (const tenantId of found) {
                await this.#lookAt(tenantId).catch((error: unknown) => {
                    logger.warn({ module: 'webhooks', tenantId, err: error }, 'Webhooks could not be looked after');
                });
            }
            if (clock() >= end) return;
        }
    }

    /** Removes all deliveries of a webhook that a restore has taken away. */
    async forget(tenantId: string, webhookId: string): Promise<void> {
        await this.#parts.store.noteRemoving(tenantId, webhookId, this.#parts.clock());
        await this.remove(tenantId, webhookId);
    }

    /** Removes all deliveries of a webhook that was deleted, some at a time; of another one none. */
    async remove(tenantId: string, webhookId: string): Promise<void> {
        while (await this.#parts.deliveries.removeSome(tenantId, webhookId));
    }

    async #lookAt(tenantId: string): Promise<void> {
        const { store, deliveries, queue, subscription, clock } = this.#parts;
        for (const webhookId of await store.removing(tenantId)) await this.remove(tenantId, webhookId);
        for (const { id } of await store.all(tenantId)) {
            await queue.add(tenantId, await deliveries.overdue(tenantId, id, clock() - LATE_MS));
        }
        await subscription.settle(tenantId);
    }
}
