import { createBreakerService } from './breaker-service.ts';
import { ConfigMirror } from './config-mirror.ts';
import { createConfigService } from './config-service.ts';
import { createConfigStore } from './config-store.ts';
import { jobCursors } from './job-cursor.ts';
import { createJobService } from './job-service.ts';
import { maintenanceCheck, refusePublic } from './maintenance.ts';
import { Obedience } from './obedience.ts';
import { getConfig } from './routes/get-config.ts';
import { listBreakers } from './routes/list-breakers.ts';
import { listJobs } from './routes/list-jobs.ts';
import { resetBreaker } from './routes/reset-breaker.ts';
import { retryJob } from './routes/retry-job.ts';
import { updateConfig } from './routes/update-config.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Plugin } from '@hapi/hapi';
import type { OperationsPort } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const operations: Plugin<Platform> = {
    name: 'operations',
    register: (server, { config: { REGISTRATION: registration }, ...platform }) => {
        const { signals, logger } = platform;
        const append = appendOutbox(platform.store);
        const store = createConfigStore(platform.store);
        const mirror = new ConfigMirror({ store, signals, logger, registration });
        const obedience = new Obedience(signals);
        const config = createConfigService({ store, obedience, append, registration });
        const checkMaintenance = maintenanceCheck(mirror.settings);
        const port: OperationsPort = { settings: mirror.settings, checkMaintenance, config };
        server.expose(port);

        server.ext('onPreAuth', refusePublic(checkMaintenance), { before: 'auth' });
        server.ext('onPreStart', async () => {
            await mirror.start();
            await obedience.listen();
        });
        server.ext('onPostStop', () => {
            mirror.stop();
            obedience.stop();
        });
        // Other features are made by what is configured, so this one comes first; its routes ask for a permission.
        server.dependency(['auth', 'models', 'tenants'], async () => {
            const { models, tenants } = server.plugins;
            const breakers = createBreakerService(models, append);
            const cursors = jobCursors(platform.vault);
            const jobs = createJobService({ jobs: platform.jobs, cursors, tenants, append });
            server.route(getConfig(config));
            server.route(updateConfig(config));
            server.route(listBreakers(breakers));
            server.route(resetBreaker(breakers));
            server.route(listJobs(jobs));
            server.route(retryJob(jobs));
        });
    },
};
