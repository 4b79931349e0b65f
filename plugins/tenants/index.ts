import { tenantAggregates } from './backup.ts';
import { createOwnTenantService } from './own-service.ts';
import { getOwnTenant } from './routes/get-own-tenant.ts';
import { updateOwnTenant } from './routes/update-own-tenant.ts';
import { createTenantService } from './service.ts';
import { createTenantStore } from './store.ts';
import { createTiers } from './tiers.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

const SWEEP_EVERY_MS = 30_000;

export const tenants: Plugin<Platform> = {
    name: 'tenants',
    dependencies: ['operations'],
    register: (server, { store, vault, logger, jobs, clock }) => {
        const { operations } = server.plugins;
        const service = createTenantService({
            store: createTenantStore(store, vault),
            append: appendOutbox(store),
            jobs,
            clock,
            tiers: createTiers(() => operations.settings().limits),
        });
        const aggregates = tenantAggregates(store, (tenantId) => service.key(tenantId));
        server.expose({ ...service, aggregates });
        // What the routes ask for is made after this: the strategy, and the models that are to be known.
        server.dependency(['auth', 'models'], async () => {
            const own = createOwnTenantService(service, server.plugins.models);
            server.route(getOwnTenant(own));
            server.route(updateOwnTenant(own));
        });

        const sweep = () =>
            service.sweepClaims().catch((error: unknown) => logger.warn({ module: 'tenants', err: error }, 'No sweep'));
        const timer = setInterval(() => void sweep(), SWEEP_EVERY_MS).unref();
        server.ext('onPostStop', () => clearInterval(timer));
    },
};
