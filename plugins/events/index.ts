import { LiveStreams } from './live-streams.ts';
import { Relay } from './relay.ts';
import { listEventTypes } from './routes/list-event-types.ts';
import { streamEvents } from './routes/stream-events.ts';
import { createEventFeature } from './service.ts';
import { EventStore } from './store.ts';
import { StreamStore } from './stream-store.ts';
import { BUCKETS } from '../../src/telemetry/metrics.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

/** A consumer that hangs does not hold up the server for longer. */
const STOP_WITHIN_MS = 5_000;

export const events: Plugin<Platform> = {
    name: 'events',
    dependencies: ['auth'],
    register: (server, { store, signals, clock, drain, logger, metrics }) => {
        const eventStore = new EventStore(store);
        const lag = metrics.histogram(
            'event_relay_lag_seconds',
            'Age of events when they are handed to a consumer; those of a replay or of a retry are old',
            BUCKETS.work,
            ['consumer'],
        );
        const onTake = (consumer: string, happenedAt: string) =>
            lag(consumer).observe(Math.max(0, clock() - Date.parse(happenedAt)) / 1000);
        const relay = new Relay({ store: eventStore, signals, drain, logger, onTake });
        server.expose(createEventFeature(eventStore, relay));
        const streams = new StreamStore(store);
        const { auth } = server.plugins;
        const live = new LiveStreams({ events: eventStore, streams, auth, signals, drain, logger });
        server.ext('onPreStop', async () => {
            await Promise.all([relay.stop(AbortSignal.timeout(STOP_WITHIN_MS)), live.stop()]);
        });
        server.route(listEventTypes());
        server.route(streamEvents(live));
    },
};
