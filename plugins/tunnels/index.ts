import { CallCounter } from './call-counter.ts';
import { Diagnostics } from './diagnostics-service.ts';
import { openGateway } from './gateway/open-gateway.ts';
import { TunnelItems } from './item-service.ts';
import { ItemStore } from './item-store.ts';
import { LinkStore } from './link-store.ts';
import { MetricsService } from './metrics-service.ts';
import { MetricsStore } from './metrics-store.ts';
import { modelSource } from './model-source.ts';
import { createTunnelPort } from './port.ts';
import { serve } from './serve.ts';
import { Tunnels } from './service.ts';
import { DAYS_KEPT, TunnelStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const tunnels: Plugin<Platform> = {
    name: 'tunnels',
    dependencies: ['auth', 'idempotency', 'models', 'tenants', 'users'],
    register: (server, platform) => {
        const { store, vault, clock, logger, drain } = platform;
        const { models, tenants, users } = server.plugins;
        const standing = {
            tenant: (tenantId: string) => tenants.key(tenantId),
            user: (tenantId: string, userId: string) => users.key(tenantId, userId),
        };
        const tunnelStore = new TunnelStore(store, vault, standing.tenant);
        const itemStore = new ItemStore(store, vault, (tenantId, id) => tunnelStore.records.key(tenantId, id));
        const links = new LinkStore(store, tunnelStore, itemStore, standing);
        const metricsStore = new MetricsStore(store, tunnelStore, itemStore, standing.tenant);
        const counter = new CallCounter(metricsStore, logger);
        const service = new Tunnels({ store: tunnelStore, items: itemStore, clock });
        const items = new TunnelItems({ tunnels: service, items: itemStore, links, users, clock });
        const metrics = new MetricsService({ store: metricsStore, tunnels: service, clock });

        users.onPurge(async (tenantId, userId) => {
            await service.purge(tenantId, userId);
            await metricsStore.forgetUser(tenantId, userId, DAYS_KEPT + 1);
        });
        // Calls that end while the process drains are counted when the server has stopped.
        drain.onDrain(() => counter.flush());
        server.ext('onPostStop', () => counter.flush());
        const parts = { tunnels: service, store: tunnelStore, items: itemStore, links, counter, metrics };
        const port = createTunnelPort(parts);
        const { relay, diagnose } = openGateway(server, platform, port);
        const feature = { ...port, relay };
        server.expose(feature);
        models.offer('tun', modelSource({ tunnels: feature, store: tunnelStore, clock }));
        const diagnostics = new Diagnostics({ tunnels: service, links, clock, diagnose });
        serve(server, { tunnels: service, items, metrics, diagnostics });
    },
};
