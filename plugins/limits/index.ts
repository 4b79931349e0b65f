import { Overload } from './overload.ts';
import { refuseGrowth } from './refuse-growth.ts';
import { getUsage } from './routes/get-usage.ts';
import { listTiers } from './routes/list-tiers.ts';
import { listViolations } from './routes/list-violations.ts';
import { createLimitService } from './service.ts';
import { createLimitStore } from './store.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { MemoryWatch } from '../../src/redis/memory-watch.ts';
import { processLoad } from '../../src/telemetry/load.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const limits: Plugin<Platform> = {
    name: 'limits',
    dependencies: ['auth', 'tenants', 'tunnels'],
    register: (server, { config, store, clock, logger, drain, metrics, measureLoad }) => {
        const { tenants } = server.plugins;
        // Registered later.
        const relayedKey = (tenantId: string) => server.plugins.tunnels.relayedKey(tenantId);
        const service = createLimitService({
            store: createLimitStore(store, { tenants, relayedKey }, clock),
            tenants,
            allViolations: (days) => server.plugins.reports.violations(days),
            append: appendOutbox(store),
            logger,
            drain,
            running: metrics.level('generations_running', 'Answers of models that this process is writing'),
            queueMs: config.GENERATION_QUEUE_MS,
        });
        const memory = new MemoryWatch(store.redis, logger, metrics);
        server.expose(service);
        // By itself: what is exposed together is copied.
        server.expose('memory', memory);
        server.ext('onPreStart', () => memory.start());

        const load = processLoad();
        const overload = new Overload(measureLoad ?? load.measure, config);
        // Before any credential or limit is looked at.
        server.ext('onPreAuth', overload.refuse, { before: 'auth' });
        server.ext('onPreAuth', refuseGrowth(memory), { before: 'auth' });
        server.ext('onPostStop', () => {
            memory.stop();
            overload.stop();
            load.stop();
        });

        server.route(listTiers(service));
        server.route(getUsage(service));
        server.route(listViolations(service));
    },
};
