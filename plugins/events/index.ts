import { Relay } from './relay.ts';
import { listEventTypes } from './routes/list-event-types.ts';
import { createEventFeature } from './service.ts';
import { EventStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const events: Plugin<Platform> = {
    name: 'events',
    dependencies: ['auth'],
    register: (server, { store, signals, drain, logger }) => {
        const eventStore = new EventStore(store);
        const relay = new Relay({ store: eventStore, signals, drain, logger });
        server.expose(createEventFeature(eventStore, relay));
        server.ext('onPreStop', () => relay.stop());
        server.route(listEventTypes());
    },
};
