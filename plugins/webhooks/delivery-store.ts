import { decodeDelivery, decodeStored, encodeCarried, LISTED } from './delivery-codec.ts';
import { removingKey } from './store.ts';
import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { flatHash } from '../../src/redis/codec.ts';
import { openCursor, sealCursor, type Position } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Delivery, DisabledReason, Webhook } from './api.ts';
import type { AttemptEntry, StoredDelivery } from './delivery-codec.ts';
import type { WebhookStore } from './store.ts';
import type { PageQuery } from '../../src/redis/collection.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { TenantEvent } from '../events/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What a webhook is sent at most: seconds, and how often in them. */
export const WEBHOOK_LIMITS = [
    { limit: 60, window: 60 },
    { limit: 1_000, window: 3_600 },
    { limit: 10_000, window: 86_400 },
];
/** How many deliveries of a webhook wait at most: as many as it is sent in a day. */
export const MOST_PENDING = 10_000;
/** How long a delivery waits for an attempt at all: as long as there are events. */
const LIFETIME_MS = 7 * 24 * 3_600_000;
/** How long it waits each time while its tenant is suspended. */
const PAUSE_MS = 600_000;
/** Without a success for so long a webhook is disabled. */
const PATIENCE_MS = 120 * 3_600_000;
const KEPT_ATTEMPTS = 10;
const BATCH = 200;
/** How many deliveries are looked at for a page. */
const MOST_LOOKED_AT = 1_000;

/** A delivery still to be stored. */
export type NewDelivery = Pick<StoredDelivery, 'id' | 'webhookId' | 'event' | 'format' | 'mapping'>;

/** What a job is needed for: a delivery, and how often it was begun. */
export interface Todo {
    deliveryId: string;
    webhookId: string;
    round: string;
    /** Of the request that has caused the event, where that is known. */
    requestId?: string;
}

export interface DeliveryPlace {
    tenantId: string;
    webhookId: string;
    deliveryId: string;
}

/** The place of a delivery that a job is about. */
export type JobPlace = DeliveryPlace & { round: string };

/** `now` with all that an attempt needs. */
export type Claim =
    | { state: 'now'; at: number; delivery: StoredDelivery; webhook: Webhook }
    | { state: 'later'; delayMs: number }
    | { state: 'over' };

export interface Finish {
    attempt: AttemptEntry;
    /** How many there were before it. */
    tries: number;
    /** Until the next one; undefined after the last. */
    delayMs: number | undefined;
    disabled: Record<DisabledReason, Outbox>;
}

/** How long until the next attempt, if there is one; and why the webhook was disabled, if it was by this one. */
export interface Finished {
    delayMs: number | null;
    disabled: DisabledReason | null;
}

export interface DeliveryPageQuery extends Omit<PageQuery, 'order'> {
    status?: string | undefined;
}

const RETRY_REFUSALS: Record<number, ErrorCode> = {
    0: 'WEBHOOK_NOT_FOUND',
    [-1]: 'DELIVERY_NOT_FOUND',
    [-2]: 'WEBHOOK_DISABLED',
};

/** Deliveries of webhooks: `delivery:<id>` with its attempts, and lists of each webhook's. */
export class DeliveryStore {
    readonly #store: Datastore;
    readonly #vault: Vault;
    readonly #webhooks: WebhookStore;
    readonly #tenantKey: (tenantId: string) => string;
    readonly #run: Record<'store' | 'claim' | 'finish' | 'retry' | 'list' | 'remove', RunScript>;

    constructor(store: Datastore, vault: Vault, webhooks: WebhookStore, tenantKeyOf: (tenantId: string) => string) {
        this.#store = store;
        this.#vault = vault;
        this.#webhooks = webhooks;
        this.#tenantKey = tenantKeyOf;
        this.#run = {
            store: store.script(lua('store-deliveries')),
            claim: store.script(lua('claim-delivery')),
            finish: store.script(lua('finish-attempt')),
            retry: store.script(lua('retry-delivery')),
            list: store.script(lua('list-deliveries')),
            remove: store.script(lua('remove-deliveries')),
        };
    }

    /**
     * Stores those that are not there, and gives those that a job is needed for: the new ones, and those that wait.
     *
     * @param again Those that have ended are begun anew
     */
    async store(tenantId: string, deliveries: NewDelivery[], again = false): Promise<Todo[]> {
        const todo: Todo[] = [];
        const keys = [`${tenantKey(tenantId, 'webhook')}:`, prefixOf(tenantId)];
        for (let from = 0; from < deliveries.length; from += BATCH) {
            const batch = deliveries.slice(from, from + BATCH);
            const change = { deliveries: batch.map(encodeNew), most: MOST_PENDING, again };
            const flat = (await this.#run.store(keys, [JSON.stringify(change)])) as string[];
            const rounds = flatHash(flat);
            for (const { id, webhookId, event } of batch) {
                const round = rounds[id];
                if (round !== undefined) todo.push({ deliveryId: id, webhookId, round, ...causeOf(event) });
            }
        }
        return todo;
    }

    async claim(place: JobPlace): Promise<Claim> {
        const { tenantId, webhookId, deliveryId: id, round } = place;
        const keys = [
            deliveryKey(place),
            this.#webhooks.records.key(tenantId, webhookId),
            this.#tenantKey(tenantId),
            prefixOf(tenantId),
            ...this.#rateKeys(place),
        ];
        const change = { id, round, limits: WEBHOOK_LIMITS, lifetime: LIFETIME_MS, pause: PAUSE_MS };
        const reply = (await this.#run.claim(keys, [JSON.stringify(change)])) as [number, number, string[], string[]];
        const [code, figure, delivery, webhook] = reply;
        if (code === 2) return { state: 'later', delayMs: figure };
        if (code !== 1) return { state: 'over' };
        const stored = decodeStored(flatHash(delivery));
        return { state: 'now', at: figure, delivery: stored, webhook: this.#webhooks.records.decode(webhook) };
    }

    async finish(place: JobPlace, { attempt, tries, delayMs, disabled }: Finish): Promise<Finished> {
        const { tenantId, webhookId, deliveryId: id, round } = place;
        const keys = [
            deliveryKey(place),
            ...outboxKeys(tenantId),
            this.#webhooks.records.key(tenantId, webhookId),
            prefixOf(tenantId),
        ];
        const change = {
            id,
            round,
            tries: String(tries),
            outcome: attempt.outcome,
            ...(attempt.status !== null && { status: String(attempt.status) }),
            attempt: JSON.stringify(attempt),
            ...(delayMs !== undefined && { delay: delayMs }),
            patience: PATIENCE_MS,
            kept: KEPT_ATTEMPTS,
            disabled: { gone: outboxLists(disabled.gone), failing: outboxLists(disabled.failing) },
        };
        const reply = (await this.#run.finish(keys, [JSON.stringify(change)])) as [number, string, number?];
        const [code, reason, delay = 0] = reply;
        return {
            delayMs: code === 2 ? delay : null,
            disabled: reason === '' ? null : (reason as DisabledReason),
        };
    }

    /** @throws WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND, WEBHOOK_DISABLED */
    async retry(place: DeliveryPlace, outbox: Outbox): Promise<StoredDelivery> {
        const { tenantId, webhookId, deliveryId: id } = place;
        const keys = [
            deliveryKey(place),
            ...outboxKeys(tenantId),
            this.#webhooks.records.key(tenantId, webhookId),
            prefixOf(tenantId),
        ];
        const change = JSON.stringify({ id, webhookId, ...outboxLists(outbox) });
        const [code, flat = []] = (await this.#run.retry(keys, [change])) as [number, string[]?];
        if (code !== 1) throw apiError(RETRY_REFUSALS[code] ?? 'DELIVERY_NOT_FOUND');
        return decodeStored(flatHash(flat));
    }

    /** @throws INVALID_CURSOR */
    async list(tenantId: string, webhookId: string, { status = '', direction, limit, cursor }: DeliveryPageQuery) {
        const key = this.#listKey(tenantId, webhookId, 'deliveries');
        const list = `${key}:${direction}:${status}`;
        const from: Position = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, list, cursor);
        const args = [direction, limit, from.score, from.id, status, MOST_LOOKED_AT, ...LISTED];
        const reply = await this.#run.list([key, prefixOf(tenantId)], args);
        const [more, score, id, ...found] = reply as [number, string, string, ...string[][]];
        const items: Delivery[] = found.map((flat) => decodeDelivery(flatHash(flat)));
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id }) : null;
        return { items, pagination: { cursor: next, limit, hasMore: next !== null } };
    }

    /** With its attempts, oldest first. @throws DELIVERY_NOT_FOUND */
    async get(place: DeliveryPlace): Promise<{ delivery: StoredDelivery; attempts: AttemptEntry[] }> {
        const key = deliveryKey(place);
        const { redis } = this.#store;
        const [found, entries] = await Promise.all([redis.hgetall(key), redis.lrange(`${key}:attempts`, 0, -1)]);
        if (found.webhookId !== place.webhookId) throw apiError('DELIVERY_NOT_FOUND');
        const attempts = entries.map((entry) => JSON.parse(entry) as AttemptEntry);
        return { delivery: decodeStored(found), attempts };
    }

    /** Some of a webhook's that should have been attempted before that time. */
    async overdue(tenantId: string, webhookId: string, before: number): Promise<Todo[]> {
        const { redis } = this.#store;
        const pending = this.#listKey(tenantId, webhookId, 'pending');
        const ids = await redis.zrangebyscore(pending, '-inf', before, 'LIMIT', 0, BATCH);
        const rounds = await Promise.all(ids.map((id) => redis.hget(prefixOf(tenantId) + id, 'round')));
        return ids.map((deliveryId, n) => ({ deliveryId, webhookId, round: rounds[n] ?? '' }));
    }

    /** Removes some of a webhook that was deleted; whether any are left. */
    async removeSome(tenantId: string, webhookId: string): Promise<boolean> {
        const keys = [this.#webhooks.records.key(tenantId, webhookId), prefixOf(tenantId), removingKey(tenantId)];
        const rates = this.#rateKeys({ tenantId, webhookId });
        return (await this.#run.remove([...keys, ...rates], [webhookId, BATCH])) === 1;
    }

    #listKey(tenantId: string, webhookId: string, list: string): string {
        return `${this.#webhooks.records.key(tenantId, webhookId)}:${list}`;
    }

    #rateKeys({ tenantId, webhookId }: Pick<DeliveryPlace, 'tenantId' | 'webhookId'>): string[] {
        return WEBHOOK_LIMITS.map(({ window }) => this.#listKey(tenantId, webhookId, `rate:${window}`));
    }
}

/** What names the request that has caused an event, where that is known. */
export const causeOf = ({ requestId }: TenantEvent): Pick<Todo, 'requestId'> =>
    requestId === undefined ? {} : { requestId };

const prefixOf = (tenantId: string): string => `${tenantKey(tenantId, 'delivery')}:`;
const deliveryKey = ({ tenantId, deliveryId }: DeliveryPlace): string => prefixOf(tenantId) + deliveryId;

const encodeNew = ({ id, webhookId, event, ...rest }: NewDelivery) => ({
    id,
    webhookId,
    time: Date.parse(event.timestamp),
    fields: encodeCarried({ event, ...rest }),
});
