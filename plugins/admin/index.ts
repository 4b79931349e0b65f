import { activateTenant } from './routes/activate-tenant.ts';
import { suspendTenant } from './routes/suspend-tenant.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const admin: Plugin<Platform> = {
    name: 'admin',
    dependencies: ['auth', 'tenants'],
    register: (server) => {
        const { tenants } = server.plugins;
        server.route(suspendTenant(tenants));
        server.route(activateTenant(tenants));
    },
};
