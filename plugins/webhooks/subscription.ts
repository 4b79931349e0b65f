import type { WebhookStore } from './store.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { EventFeature } from '../events/api.ts';

/** What the relay of events knows webhooks by. */
export const CONSUMER = 'webhooks';

export interface SubscriptionParts {
    store: WebhookStore;
    events: Pick<EventFeature, 'subscribe' | 'unsubscribe'>;
    /** Tenants with webhooks, or with what is left of them. */
    due: Pick<DueTenants, 'note' | 'forget'>;
}

/** Whether a tenant's events are for webhooks: as long as it has any. */
export class Subscription {
    readonly #parts: SubscriptionParts;

    constructor(parts: SubscriptionParts) {
        this.#parts = parts;
    }

    /** Creates a webhook of a tenant whose events are for webhooks before and afterwards. */
    async during<T>(tenantId: string, create: () => Promise<T>): Promise<T> {
        await this.begin(tenantId);
        const created = await create();
        // Somebody may just have been about to end it.
        await this.#parts.events.subscribe(tenantId, CONSUMER);
        return created;
    }

    /** From now on they are; it ends by `settle` only. */
    async begin(tenantId: string): Promise<void> {
        const { events, due } = this.#parts;
        // First: as long as that note is fresh, nobody ends it.
        await due.note(tenantId);
        await events.subscribe(tenantId, CONSUMER);
    }

    /** Makes it what it should be; it ends some minutes after the last webhook is gone. */
    async settle(tenantId: string): Promise<void> {
        const { events, due } = this.#parts;
        if (await this.#hasWebhooks(tenantId)) return events.subscribe(tenantId, CONSUMER);
        if (!(await due.forget(tenantId))) return;
        await events.unsubscribe(tenantId, CONSUMER);
        // One may have been created in between.
        if (await this.#hasWebhooks(tenantId)) await events.subscribe(tenantId, CONSUMER);
    }

    async #hasWebhooks(tenantId: string): Promise<boolean> {
        return (await this.#parts.store.all(tenantId)).length > 0;
    }
}
