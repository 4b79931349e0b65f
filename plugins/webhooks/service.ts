import { auditOf, changeOf } from './outbox.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { Webhook } from './api.ts';
import type { AttemptEntry } from './delivery-codec.ts';
import type { CreateWebhook, UpdateWebhook } from './schemas.ts';
import type { WebhookSecrets } from './secrets.ts';
import type { WebhookSender } from './sender/types.ts';
import type { WebhookStore } from './store.ts';
import type { Subscription } from './subscription.ts';
import type { Clock } from '../../src/clock.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';

export interface WebhookParts {
    store: WebhookStore;
    secrets: WebhookSecrets;
    sender: WebhookSender;
    subscription: Subscription;
    append: AppendOutbox;
    clock: Clock;
    /** Has the deliveries of a webhook that was deleted removed. */
    removed: (by: Pick<Actor, 'tenantId' | 'requestId'>, webhookId: string) => Promise<void>;
}

/** A webhook with its secret, which nobody can tell again. */
export interface WebhookWithSecret {
    webhook: Webhook;
    secret: string;
}

/** The webhooks of a tenant, for its admins. */
export class Webhooks {
    readonly #parts: WebhookParts;

    constructor(parts: WebhookParts) {
        this.#parts = parts;
    }

    /** @throws WEBHOOK_URL_REFUSED, WEBHOOK_LIMIT_REACHED */
    async create(actor: Actor, details: CreateWebhook): Promise<WebhookWithSecret> {
        const { store, secrets, sender, subscription } = this.#parts;
        const { tenantId } = actor;
        await sender.check(details.url);
        const id = newId('hook');
        const { secret, sealed } = secrets.make(tenantId, id);
        const fresh = { disabledReason: null, failingSince: null, lastDeliveryAt: null, lastStatus: null };
        const secrecy = { secret: sealed, previousSecret: null, previousSecretExpiresAt: null };
        const record = { ...details, id, ...fresh, ...secrecy };
        const webhook = await subscription.during(tenantId, () =>
            store.create(tenantId, record, changeOf(actor, 'create', id)),
        );
        return { webhook, secret };
    }

    list({ tenantId }: Actor, query: PageQuery): Promise<Page<Webhook>> {
        return this.#parts.store.records.list({ tenantId }, query);
    }

    /** @throws WEBHOOK_NOT_FOUND */
    get({ tenantId }: Actor, id: string): Promise<Webhook> {
        return this.#parts.store.records.get({ tenantId }, id);
    }

    /**
     * One that is made active, or sent elsewhere, has failed nothing yet.
     *
     * @throws WEBHOOK_NOT_FOUND, WEBHOOK_URL_REFUSED, REVISION_MISMATCH
     */
    async update(actor: Actor, id: string, changes: UpdateWebhook, revision?: number): Promise<Webhook> {
        const { store, sender } = this.#parts;
        // First of all: who may not see it is told nothing about the URL.
        await this.get(actor, id);
        if (changes.url !== undefined) await sender.check(changes.url);
        const isNew = changes.isActive === true || changes.url !== undefined;
        const outbox = changeOf(actor, 'update', id, { fields: Object.keys(changes) });
        const all = {
            ...changes,
            ...(isNew && { failingSince: null }),
            ...(changes.isActive !== undefined && { disabledReason: null }),
        };
        return store.records.update({ tenantId: actor.tenantId }, id, all, { revision, outbox });
    }

    /** @throws WEBHOOK_NOT_FOUND, REVISION_MISMATCH */
    async delete(actor: Actor, id: string, revision?: number): Promise<void> {
        const { store, removed } = this.#parts;
        const { tenantId } = actor;
        await store.delete(tenantId, id, revision, changeOf(actor, 'delete', id));
        await removed(actor, id);
    }

    /**
     * Gives it a new secret; the old one also signs for so long.
     *
     * @throws WEBHOOK_NOT_FOUND, REVISION_MISMATCH When another rotation was faster
     */
    async rotateSecret(actor: Actor, id: string, graceSeconds: number): Promise<WebhookWithSecret> {
        const { store, secrets, clock } = this.#parts;
        const { tenantId } = actor;
        const { revision, secret: previousSecret } = await this.get(actor, id);
        const { secret, sealed } = secrets.make(tenantId, id);
        const previousSecretExpiresAt = isoTime(clock() + graceSeconds * 1_000);
        const grace = graceSeconds > 0 ? { previousSecret, previousSecretExpiresAt } : NO_GRACE;
        const outbox = changeOf(actor, 'rotate_secret', id, { graceSeconds });
        const webhook = await store.records.update(
            { tenantId },
            id,
            { secret: sealed, ...grace },
            { revision, outbox },
        );
        return { webhook, secret };
    }

    /**
     * Sends it an event of its own at once, also while it is disabled; it is no delivery and counts for nothing.
     *
     * @throws WEBHOOK_NOT_FOUND
     */
    async test(actor: Actor, id: string): Promise<AttemptEntry> {
        const { secrets, sender, append, clock } = this.#parts;
        const { tenantId } = actor;
        const webhook = await this.get(actor, id);
        const at = clock();
        const event = { id: newId('evt'), type: 'webhook.test', timestamp: isoTime(at), data: { webhookId: id } };
        const { url, format, mapping } = webhook;
        const destination = { url, format, mapping, secrets: secrets.open(tenantId, webhook, at) };
        await append(tenantId, { audit: [auditOf(actor, 'test', id)] });
        return { at: isoTime(at), ...(await sender.send(destination, event)) };
    }
}

const NO_GRACE = { previousSecret: null, previousSecretExpiresAt: null };
