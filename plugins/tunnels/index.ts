import { createBackupStore } from './backup-store.ts';
import { tunnelAggregates } from './backup.ts';
import { CallCounter } from './call-counter.ts';
import { Diagnostics } from './diagnostics-service.ts';
import { openGateway } from './gateway/open-gateway.ts';
import { TunnelItems } from './item-service.ts';
import { ItemStore } from './item-store.ts';
import { LinkStore } from './link-store.ts';
import { MetricsService } from './metrics-service.ts';
import { MetricsStore } from './metrics-store.ts';
import { modelSource } from './model-source.ts';
import { PaymentStore } from './payment-store.ts';
import { createTunnelPort } from './port.ts';
import { relayMeter } from './relay-meter.ts';
import { RelayPermits } from './relay-permits.ts';
import { relayPrices } from './relay-price.ts';
import { serve } from './serve.ts';
import { Tunnels } from './service.ts';
import { DAYS_KEPT, TunnelStore } from './store.ts';
import { Sweeper } from './sweeper.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';

import type { Plugin } from '@hapi/hapi';
import type { Batch } from './metrics-store.ts';
import type { Platform } from '../../src/platform.ts';

/** A tenant is looked at each 15 s; a look may begin a little before. */
const LOOK_EVERY_MS = 12_000;

export const tunnels: Plugin<Platform> = {
    name: 'tunnels',
    dependencies: ['auth', 'billing', 'idempotency', 'models', 'tenants', 'users'],
    register: (server, platform) => {
        const { store, vault, clock, logger, drain } = platform;
        const { billing, models, tenants, users } = server.plugins;
        const { tiers } = tenants;
        const standing = {
            tenant: (tenantId: string) => tenants.key(tenantId),
            user: (tenantId: string, userId: string) => users.key(tenantId, userId),
        };
        const tunnelStore = new TunnelStore(store, vault, standing.tenant);
        const itemStore = new ItemStore(store, vault, (tenantId, id) => tunnelStore.records.key(tenantId, id));
        const links = new LinkStore(store, tunnelStore, itemStore, standing);
        const metricsStore = new MetricsStore(store, tunnelStore, itemStore, standing.tenant);
        const due = new DueTenants(store, 'tunnel-tenants', LOOK_EVERY_MS);
        const payments = new PaymentStore(store, {
            tenant: standing.tenant,
            credits: (tenantId) => billing.key(tenantId),
            tunnels: (tenantId) => tunnelStore.records.key(tenantId, ''),
        });
        const counts = {
            // What is counted may have to be paid.
            async count(batch: Batch) {
                await due.noteOften(batch.place.tenantId, clock());
                await metricsStore.count(batch);
            },
        };
        const counter = new CallCounter(counts, logger, relayMeter(platform.metrics));
        const service = new Tunnels({ store: tunnelStore, items: itemStore, tiers, clock });
        const items = new TunnelItems({ tunnels: service, items: itemStore, links, users, clock });
        const metrics = new MetricsService({ store: metricsStore, tunnels: service });

        users.onPurge(async (tenantId, userId) => {
            await service.purge(tenantId, userId);
            await metricsStore.forgetUser(tenantId, userId, DAYS_KEPT + 1);
        });
        // Calls that end while the process drains are counted when the server has stopped.
        drain.onDrain(() => counter.flush());
        server.ext('onPostStop', () => counter.flush());
        billing.addPrices(relayPrices());
        const port = createTunnelPort({
            tunnels: service,
            store: tunnelStore,
            items: itemStore,
            links,
            counter,
            permits: new RelayPermits({ payments, billing, tiers, clock }),
            sweeper: new Sweeper({ tenants: due, links, payments, logger }),
            tenants: due,
        });
        const { relay, diagnose } = openGateway(server, platform, port);
        const backups = createBackupStore(store, tunnelStore, itemStore, clock);
        const aggregates = [tunnelAggregates(tunnelStore, itemStore, backups, (tenantId) => users.ids(tenantId))];
        const feature = { ...port, relay, aggregates };
        server.expose(feature);
        models.offer('tun', modelSource({ tunnels: feature, store: tunnelStore, clock }));
        const diagnostics = new Diagnostics({ tunnels: service, links, clock, diagnose });
        serve(server, { tunnels: service, items, metrics, diagnostics });
    },
};
