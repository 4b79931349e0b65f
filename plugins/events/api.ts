/** An event of a tenant, as others are told of it. */
export interface TenantEvent {
    /**
     * `evt_<ULID>`, made of the event's place in the tenant's stream: `Last-Event-ID` of live clients, and the id of a
     * webhook's message.
     */
    id: string;
    /** `<resource>.<what happened>` of the catalogue. */
    type: string;
    /** ISO-8601 */
    timestamp: string;
    data: Record<string, unknown>;
    /** Of the request that has caused it, where there was one: for logs, and for receivers who ask about it. */
    requestId?: string;
}

/** Somebody who is handed the events of the tenants that subscribe for it. */
export interface EventConsumer {
    /** Of the consumer group. */
    name: string;
    /** Stores what is to be done for them. It is called again with the same ones after a crash, by any process. */
    take(tenantId: string, events: TenantEvent[]): Promise<void>;
}

/** The port of the events feature. */
export interface EventFeature {
    /** Names who is to be handed events, before the workers begin. */
    consume(consumer: EventConsumer): void;
    /** Begins handing events over: workers do, when the server has started. */
    start(): void;
    /** From now on the consumer is handed the tenant's events; said again, it changes nothing. */
    subscribe(tenantId: string, consumer: string): Promise<void>;
    /** The consumer is handed no more of them. */
    unsubscribe(tenantId: string, consumer: string): Promise<void>;
    /** The tenant's events since then, oldest first, some at a time. */
    since(tenantId: string, time: Date): AsyncIterable<TenantEvent[]>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        events: EventFeature;
    }
}
