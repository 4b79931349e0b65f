import { Follower } from './follower.ts';
import { Keeper } from './keeper.ts';
import { Round } from './round.ts';
import { createSearch } from './service.ts';
import { DirectoryStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Directory } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const directory: Plugin<Platform> = {
    name: 'directory',
    dependencies: ['tenants', 'users'],
    register: (server, { store: datastore, vault, signals, drain, clock, logger }) => {
        const { tenants, users } = server.plugins;
        const store = new DirectoryStore(datastore, vault);
        const keeper = new Keeper({ store, tenants, users, clock });
        const round = new Round({ store, tenants, keeper, clock, logger });
        const follower = new Follower({ keeper, signals, drain, logger, random: Math.random });
        tenants.onPurge((tenantId) => keeper.forget(tenantId));
        const feature: Directory = {
            ...createSearch({ store, tenants, users }),
            start: () => follower.start(),
            keep: () => round.keep(),
        };
        server.expose(feature);
    },
};
