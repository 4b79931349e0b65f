import { getHealth } from './routes/get-health.ts';
import { getLive } from './routes/get-live.ts';
import { getReady } from './routes/get-ready.ts';
import { getVersion } from './routes/get-version.ts';
import { listErrors } from './routes/list-errors.ts';
import { createHealthService } from './service.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const health: Plugin<Platform> = {
    name: 'health',
    dependencies: ['auth', 'limits', 'models', 'operations'],
    register: (server, { config, store, drain, clock }) => {
        const { limits, models, operations } = server.plugins;
        const { memory } = limits;
        const service = createHealthService({ config, store, drain, clock, memory, models, operations });
        server.route(getLive());
        server.route(getReady(service));
        for (const path of ['/health', '/api/health', '/api/status/health']) server.route(getHealth(service, path));
        server.route(getVersion(service));
        server.route(listErrors());
    },
};
