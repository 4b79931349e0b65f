import { checkReader } from './access.ts';
import { Replicas } from './replica-service.ts';
import { ReplicaStore } from './replica-store.ts';
import { getMetrics } from './routes/get-metrics.ts';
import { listReplicas } from './routes/list-replicas.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { processLoad } from '../../src/telemetry/load.ts';

import type { Plugin } from '@hapi/hapi';
import type { MetricsFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

const MIB = 1_048_576;

export const metrics: Plugin<Platform> = {
    name: 'metrics',
    dependencies: ['auth'],
    register: (server, { config, store, clock, logger, metrics: registry, measureLoad }) => {
        const { ROLE: role, VERSION: version } = config;
        const help = 'What runs, always 1';
        registry.gauge('app_info', help, (set) => set(1, version, role), ['version', 'role']);
        const mark = 'Resident memory past which requests are refused, in bytes';
        registry.gauge('app_memory_limit_bytes', mark, (set) => set(config.MAX_RSS_MB * MIB));
        if (config.METRICS) server.route(getMetrics(registry, checkReader(config.METRICS_TOKEN)));

        // Its own: each look is at what was since the last.
        const load = processLoad();
        const replicas = new Replicas({
            store: new ReplicaStore(store),
            append: appendOutbox(store),
            metrics: registry,
            config,
            measureLoad: measureLoad ?? load.measure,
            clock,
            logger,
        });
        server.expose({ announce: () => replicas.announce() } satisfies MetricsFeature);
        server.route(listReplicas(replicas));
        server.ext('onPostStop', async () => {
            load.stop();
            await replicas.stop();
        });
    },
};
