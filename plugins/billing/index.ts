import { Keeper } from './keeper.ts';
import { createBillingService } from './service.ts';
import { BillingStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const billing: Plugin<Platform> = {
    name: 'billing',
    dependencies: ['auth', 'models', 'tenants'],
    register: (server, { store, clock, logger }) => {
        const billingStore = new BillingStore(store, clock);
        const keeper = new Keeper(billingStore, logger);
        server.expose(
            createBillingService({ store: billingStore, keeper, models: server.plugins.models, clock, logger }),
        );
        server.ext('onPostStop', () => keeper.stop());
    },
};
