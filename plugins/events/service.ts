import { eventsIn, placeBefore, type EventStore } from './store.ts';

import type { EventFeature, TenantEvent } from './api.ts';
import type { Relay } from './relay.ts';

/** Events that are read at once. */
const BATCH = 100;

/** What other features do with events. */
export function createEventFeature(store: EventStore, relay: Relay): EventFeature {
    return {
        consume: (consumer) => relay.consume(consumer),
        start: () => relay.start(),
        subscribe: (tenantId, consumer) => store.subscribe(tenantId, consumer),
        unsubscribe: (tenantId, consumer) => store.unsubscribe(tenantId, consumer),
        since: (tenantId, time) => readSince(store, tenantId, time),
    };
}

async function* readSince(store: EventStore, tenantId: string, time: Date): AsyncGenerator<TenantEvent[]> {
    for (let place = placeBefore(time); ;) {
        const entries = await store.after(tenantId, place, BATCH);
        const last = entries.at(-1);
        if (!last) return;
        yield eventsIn(tenantId, entries);
        [place] = last;
    }
}
