import { createUserService } from './service.ts';
import { createUserStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const users: Plugin<Platform> = {
    name: 'users',
    register: (server, { store, vault }) => {
        server.expose(createUserService(createUserStore(store, vault)));
    },
};
