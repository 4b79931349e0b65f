import { billingAggregates } from './backup.ts';
import { creditMeter } from './credit-meter.ts';
import { Keeper } from './keeper.ts';
import { PriceService } from './price-service.ts';
import { getPrices } from './routes/get-prices.ts';
import { serveCredits } from './serve.ts';
import { createBillingService } from './service.ts';
import { BillingStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const billing: Plugin<Platform> = {
    name: 'billing',
    dependencies: ['auth', 'models', 'tenants', 'users'],
    register: (server, platform) => {
        const { store, clock, logger, metrics } = platform;
        const meter = creditMeter(metrics);
        const billingStore = new BillingStore(store, clock, meter);
        const keeper = new Keeper(billingStore, logger);
        const { models } = server.plugins;
        const prices = new PriceService(models, clock);
        const service = createBillingService({ store: billingStore, keeper, models, prices, meter, clock, logger });
        const aggregates = billingAggregates(store, (tenantId) => service.key(tenantId));
        server.expose({ ...service, aggregates });
        serveCredits(server, platform, billingStore, meter);
        server.route(getPrices(prices));
        server.ext('onPostStop', () => keeper.stop());
    },
};
