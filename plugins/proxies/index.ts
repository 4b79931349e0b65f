import { proxyAggregates } from './backup.ts';
import { Diagnosis } from './diagnosis.ts';
import { HealthChecks } from './health-checks.ts';
import { healthKey } from './keys-store.ts';
import { modelSource } from './model-source.ts';
import { createProxyRecords } from './records.ts';
import { serve } from './serve.ts';
import { Proxies } from './service.ts';
import { StateStore } from './state-store.ts';
import { ProxyStore } from './store.ts';
import { openTraffic } from './traffic/open-traffic.ts';
import { WatchStore } from './watch-store.ts';
import { Watcher } from './watcher.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const proxies: Plugin<Platform> = {
    name: 'proxies',
    dependencies: ['auth', 'idempotency', 'models', 'tenants', 'tunnels', 'users'],
    register: (server, platform) => {
        const { clock, drain, logger, metrics, vault } = platform;
        const { models, tenants, tunnels, users } = server.plugins;
        const tenantKey = (tenantId: string) => tenants.key(tenantId);
        const userKey = (tenantId: string, userId: string) => users.key(tenantId, userId);
        const { tiers } = tenants;
        const store = new ProxyStore(platform.store, vault, tenantKey);
        const state = new StateStore(platform.store, { tenant: tenantKey, user: userKey, tiers });
        const watch = new WatchStore(platform.store);
        const records = createProxyRecords(store, state, watch);
        const { relay, load, forget } = openTraffic(server, platform, { records, tunnels });
        const checks = new HealthChecks({ tunnels, store, state, watch, clock });
        const service = new Proxies({ store, state, watch, checks, tunnels, tiers, load, forget, clock });
        const watcher = new Watcher({ watch, checks, state, load, drain, logger });

        const help = 'Proxies that are to run, of all processes: each tells the same';
        metrics.gauge('proxy_instances_active', help, async (set) => set(await watch.count()));
        users.onPurge((tenantId, userId) => service.purge(tenantId, userId));
        // A server that serves nobody, as a test's or a worker's, leaves the looks to others.
        server.ext('onPostStart', () => watcher.start());
        server.ext('onPreStop', () => watcher.stop());
        const aggregates = [
            proxyAggregates(platform.store, {
                store,
                userIds: (tenantId) => users.ids(tenantId),
                healthKey,
                forget: async (place) => {
                    await forget(place);
                    await state.forget(place);
                },
            }),
        ];
        const feature = { ...records, relay, aggregates };
        server.expose(feature);
        models.offer('proxy', modelSource({ proxies: feature, store }));
        serve(server, service, new Diagnosis({ proxies: service, tunnels, clock }));
    },
};
