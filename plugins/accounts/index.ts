import { Bulks } from './bulk-service.ts';
import { BulkStore } from './bulk-store.ts';
import { BulkWork } from './bulk-work.ts';
import { activateAccount } from './routes/activate-account.ts';
import { createBulk } from './routes/create-bulk.ts';
import { getAccount } from './routes/get-account.ts';
import { getBulk } from './routes/get-bulk.ts';
import { listAccounts } from './routes/list-accounts.ts';
import { listBulks } from './routes/list-bulks.ts';
import { suspendAccount } from './routes/suspend-account.ts';
import { updateAccount } from './routes/update-account.ts';
import { Accounts } from './service.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Plugin } from '@hapi/hapi';
import type { AccountFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const accounts: Plugin<Platform> = {
    name: 'accounts',
    dependencies: ['auth', 'directory', 'idempotency', 'tenants', 'users'],
    register: (server, { store: datastore, vault, jobs, drain, clock }) => {
        const { directory, tenants, users } = server.plugins;
        const append = appendOutbox(datastore);
        const service = new Accounts({ tenants, users, directory, append });
        const store = new BulkStore(datastore, vault);
        const bulks = new Bulks({ store, jobs, clock, append });
        const work = new BulkWork({ store, accounts: service, users, drain, clock });
        const feature: AccountFeature = {
            list: service.list.bind(service),
            suspend: service.suspend.bind(service),
            activate: service.activate.bind(service),
            runBulk: work.run.bind(work),
        };
        server.expose(feature);
        server.route(listAccounts(service));
        server.route(getAccount(service));
        server.route(suspendAccount(service));
        server.route(activateAccount(service));
        server.route(updateAccount(service));
        server.route(createBulk(bulks));
        server.route(listBulks(bulks));
        server.route(getBulk(bulks));
    },
};
