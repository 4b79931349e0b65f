import { apiError } from '../../src/http/errors.ts';
import { isoTime, type Fields } from '../../src/redis/codec.ts';
import { Collection } from '../../src/redis/collection.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Webhook } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** How many webhooks a tenant may have. */
export const MOST_WEBHOOKS = 20;

const FIELDS: Fields<Webhook> = {
    url: 'text',
    description: 'text',
    filter: 'json',
    mapping: 'json',
    format: 'text',
    isActive: 'boolean',
    disabledReason: 'text',
    failingSince: 'time',
    lastDeliveryAt: 'time',
    lastStatus: 'number',
    secret: 'text',
    previousSecret: 'text',
    previousSecretExpiresAt: 'time',
};

export type NewWebhook = Omit<Webhook, 'revision' | 'createdAt' | 'updatedAt'>;

/** The name of the list of tenants that are looked after, all with webhooks among them; and its key. */
export const TENANTS_NAME = 'webhook-tenants';
export const WEBHOOK_TENANTS = tenantKey(PLATFORM, TENANTS_NAME);

/** Those that were deleted and have deliveries left. */
export const removingKey = (tenantId: string): string => tenantKey(tenantId, 'webhooks', 'removing');

/** A tenant's webhooks: `webhook:<id>`, in a list by creation. */
export class WebhookStore {
    readonly records: Collection<Webhook>;
    readonly #store: Datastore;
    readonly #create: RunScript;
    readonly #delete: RunScript;

    constructor(store: Datastore, vault: Vault) {
        this.#store = store;
        this.records = new Collection<Webhook>(store, vault, {
            name: 'webhook',
            fields: FIELDS,
            orders: { created: { by: 'createdAt', index: () => ['webhooks'] } },
            notFound: 'WEBHOOK_NOT_FOUND',
        });
        this.#create = store.script(lua('create-webhook'));
        this.#delete = store.script(lua('delete-webhook'));
    }

    /** @throws WEBHOOK_LIMIT_REACHED */
    async create(tenantId: string, webhook: NewWebhook, outbox: Outbox): Promise<Webhook> {
        const { id } = webhook;
        const { fields } = this.records.draft(tenantId, webhook).change;
        const keys = [this.records.key(tenantId, id), ...outboxKeys(tenantId), this.#listKey(tenantId)];
        const change = JSON.stringify({ id, fields, most: MOST_WEBHOOKS, ...outboxLists(outbox) });
        const [code, at = 0] = (await this.#create(keys, [change])) as [number, number?];
        if (code !== 1) throw apiError('WEBHOOK_LIMIT_REACHED', { details: { limit: MOST_WEBHOOKS } });
        const time = isoTime(at);
        return { ...webhook, revision: 1, createdAt: time, updatedAt: time };
    }

    /** @throws WEBHOOK_NOT_FOUND, REVISION_MISMATCH */
    async delete(tenantId: string, id: string, revision: number | undefined, outbox: Outbox): Promise<void> {
        const keys = [
            this.records.key(tenantId, id),
            ...outboxKeys(tenantId),
            this.#listKey(tenantId),
            removingKey(tenantId),
        ];
        const guard = { id, ...(revision !== undefined && { revision: String(revision) }) };
        const code = Number(await this.#delete(keys, [JSON.stringify({ ...guard, ...outboxLists(outbox) })]));
        if (code === 1) return;
        throw apiError(code === -1 ? 'REVISION_MISMATCH' : 'WEBHOOK_NOT_FOUND');
    }

    /** All of the tenant's. */
    async all(tenantId: string): Promise<Webhook[]> {
        const page = { order: 'created', direction: 'asc', limit: MOST_WEBHOOKS } as const;
        return (await this.records.list({ tenantId }, page)).items;
    }

    /** Ids of those that were deleted and have deliveries left. */
    removing = (tenantId: string): Promise<string[]> => this.#store.redis.zrange(removingKey(tenantId), 0, '-1');

    /** Notes that one is gone and may have deliveries left. */
    async noteRemoving(tenantId: string, id: string, at: number): Promise<void> {
        await this.#store.redis.zadd(removingKey(tenantId), at, id);
    }

    #listKey(tenantId: string): string {
        return this.records.orderKey({ tenantId }, 'created');
    }
}
