import { Keeper } from './keeper.ts';
import { serveCredits } from './serve.ts';
import { createBillingService } from './service.ts';
import { BillingStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const billing: Plugin<Platform> = {
    name: 'billing',
    dependencies: ['auth', 'models', 'tenants', 'users'],
    register: (server, platform) => {
        const { store, clock, logger } = platform;
        const billingStore = new BillingStore(store, clock);
        const keeper = new Keeper(billingStore, logger);
        server.expose(
            createBillingService({ store: billingStore, keeper, models: server.plugins.models, clock, logger }),
        );
        serveCredits(server, platform, billingStore);
        server.ext('onPostStop', () => keeper.stop());
    },
};
