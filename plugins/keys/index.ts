import { keyAggregates } from './backup.ts';
import { createKey } from './routes/create-key.ts';
import { getKey } from './routes/get-key.ts';
import { listKeys } from './routes/list-keys.ts';
import { revokeKey } from './routes/revoke-key.ts';
import { rotateKey } from './routes/rotate-key.ts';
import { updateKey } from './routes/update-key.ts';
import { createKeyService } from './service.ts';
import { createKeyStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';

export const keys: Plugin<Platform> = {
    name: 'keys',
    dependencies: ['auth', 'tenants', 'users'],
    register: (server, { store, vault, clock }) => {
        const { tenants, users } = server.plugins;
        const keyStore = createKeyStore(store, vault, tenants);
        users.onPurge((tenantId, userId) => keyStore.purge(tenantId, userId));
        const aggregates = [keyAggregates(store, keyStore, (tenantId) => users.ids(tenantId))];
        server.expose({ aggregates } satisfies BackedUp);
        const service = createKeyService(keyStore, tenants.tiers, clock);
        server.route(createKey(service));
        server.route(listKeys(service));
        server.route(getKey(service));
        server.route(updateKey(service));
        server.route(revokeKey(service));
        server.route(rotateKey(service));
    },
};
