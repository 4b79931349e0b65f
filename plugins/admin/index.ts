import { activateTenant } from './routes/activate-tenant.ts';
import { createTenant } from './routes/create-tenant.ts';
import { deleteTenant } from './routes/delete-tenant.ts';
import { getTenant } from './routes/get-tenant.ts';
import { listTenants } from './routes/list-tenants.ts';
import { restoreTenant } from './routes/restore-tenant.ts';
import { suspendTenant } from './routes/suspend-tenant.ts';
import { updateTenant } from './routes/update-tenant.ts';
import { createAdminService } from './service.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const admin: Plugin<Platform> = {
    name: 'admin',
    dependencies: ['auth', 'directory', 'tenants', 'users'],
    register: (server, { store }) => {
        const { directory, tenants, users } = server.plugins;
        const service = createAdminService({ tenants, users, directory, append: appendOutbox(store) });
        server.expose(service);
        server.route(createTenant(service));
        server.route(listTenants(service));
        server.route(getTenant(service));
        server.route(updateTenant(tenants));
        server.route(suspendTenant(tenants));
        server.route(activateTenant(tenants));
        server.route(deleteTenant(tenants));
        server.route(restoreTenant(tenants));
    },
};
