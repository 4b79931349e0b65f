import { eventId } from './event-id.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { TenantEvent } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** The name under which all processes take events. */
const WORKERS = 'workers';
/** How long after one look at a tenant the next one is, of whichever process. */
const LOOK_EVERY_MS = 5_000;

/** An entry of a stream: its id and the flat list of its fields. */
export type StreamEntry = [id: string, fields: string[]];

/** Some of the tenant's events that a consumer was handed, and where they are in the stream. */
export interface EventBatch {
    events: TenantEvent[];
    ids: string[];
}

/** The events of tenants as `outbox.lua` appends them, and who is handed them. */
export class EventStore {
    readonly #redis: Datastore['redis'];
    readonly #datastore: Datastore;
    readonly #run: Record<'subscribe' | 'unsubscribe' | 'take', RunScript>;
    readonly #due = new Map<string, DueTenants>();

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#datastore = store;
        this.#run = {
            subscribe: store.script(lua('subscribe')),
            unsubscribe: store.script(lua('unsubscribe')),
            take: store.script(lua('take-events')),
        };
    }

    async subscribe(tenantId: string, consumer: string): Promise<void> {
        // First: if the process dies now, somebody looks and finds nobody subscribed.
        await this.due(consumer).note(tenantId);
        await this.#run.subscribe(subscriptionKeys(tenantId), [consumer]);
    }

    async unsubscribe(tenantId: string, consumer: string): Promise<void> {
        await this.#run.unsubscribe(subscriptionKeys(tenantId), [consumer]);
    }

    /** The tenants that a consumer has subscribed to, or lately had. */
    due(consumer: string): DueTenants {
        let due = this.#due.get(consumer);
        if (!due) {
            due = new DueTenants(this.#datastore, `event-tenants:${consumer}`, LOOK_EVERY_MS);
            this.#due.set(consumer, due);
        }
        return due;
    }

    /** @returns Null when the consumer is not subscribed */
    async take(
        tenantId: string,
        consumer: string,
        { most, freeAfterMs }: { most: number; freeAfterMs: number },
    ): Promise<EventBatch | null> {
        const reply = await this.#run.take([eventsKey(tenantId)], [consumer, WORKERS, most, freeAfterMs]);
        if (reply === null) return null;
        const entries = reply as StreamEntry[];
        return { events: eventsIn(tenantId, entries), ids: entries.map(([id]) => id) };
    }

    async done(tenantId: string, consumer: string, ids: string[]): Promise<void> {
        await this.#redis.xack(eventsKey(tenantId), consumer, ...ids);
    }

    /** Lets what was taken look as if that had been so long ago. */
    async age(tenantId: string, consumer: string, ids: string[], milliseconds: number): Promise<void> {
        const claim = [eventsKey(tenantId), consumer, WORKERS, 0, ...ids, 'IDLE', milliseconds, 'JUSTID'];
        await this.#redis.call('XCLAIM', claim);
    }

    /** Events after that place in the stream, oldest first. */
    async after(tenantId: string, place: string, most: number): Promise<StreamEntry[]> {
        return this.#redis.xrange(eventsKey(tenantId), `(${place}`, '+', 'COUNT', most);
    }
}

/** The place in a stream before everything that happens at that time. */
export const placeBefore = (time: Date): string => {
    const ms = Math.max(0, time.getTime());
    return ms === 0 ? '0-0' : `${ms - 1}-18446744073709551615`;
};

export const eventsIn = (tenantId: string, entries: StreamEntry[]): TenantEvent[] =>
    entries.map(([id, fields]) => {
        const valueOf = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
        const requestId = fields.includes('requestId') ? valueOf('requestId') : undefined;
        return {
            id: eventId(tenantId, id),
            type: valueOf('type'),
            timestamp: isoTime(Number.parseInt(id, 10)),
            data: JSON.parse(valueOf('data')) as Record<string, unknown>,
            ...(requestId !== undefined && { requestId }),
        };
    });

const eventsKey = (tenantId: string): string => tenantKey(tenantId, 'events');
const subscriptionKeys = (tenantId: string) => [eventsKey(tenantId), tenantKey(tenantId, 'events', 'subscribers')];
