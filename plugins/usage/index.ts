import { getModelUsage } from './routes/get-model-usage.ts';
import { UsageRules } from './service.ts';
import { UsageStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { UsageService } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const usage: Plugin<Platform> = {
    name: 'usage',
    dependencies: ['auth', 'users'],
    register: (server, { store, logger }) => {
        const service = new UsageRules(new UsageStore(store), logger);
        const port: UsageService = {
            key: (owner) => service.key(owner),
            counts: (call) => service.counts(call),
            record: (owner, id, call) => service.record(owner, id, call),
        };
        server.expose(port);
        server.plugins.users.onPurge((tenantId, userId) => service.remove({ tenantId, userId }));
        server.route(getModelUsage(service));
        server.ext('onPostStop', () => service.stop());
    },
};
