import { userAggregates } from './backup.ts';
import { acceptInvitation } from './routes/accept-invitation.ts';
import { createUser } from './routes/create-user.ts';
import { deleteUser } from './routes/delete-user.ts';
import { getUser } from './routes/get-user.ts';
import { listUsers } from './routes/list-users.ts';
import { renewInvitation } from './routes/renew-invitation.ts';
import { restoreUser } from './routes/restore-user.ts';
import { updateUser } from './routes/update-user.ts';
import { Users } from './service.ts';
import { UserStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';

export const users: Plugin<Platform> = {
    name: 'users',
    register: (server, { store, vault, jobs, clock, passwords }) => {
        const userStore = new UserStore(store, vault);
        const service = new Users({ store: userStore, jobs, passwords, clock });
        const { backedUp: values, removeKept: forget, askForPurge } = service;
        const aggregates = [userAggregates(store, { store: userStore, values, forget, askForPurge })];
        server.expose(service);
        server.expose('aggregates' satisfies keyof BackedUp, aggregates);
        // The strategy that the routes ask for is `auth`'s, which is made after this.
        server.dependency('auth', async () => {
            server.route(createUser(service));
            server.route(listUsers(service));
            server.route(getUser(service));
            server.route(updateUser(service));
            server.route(deleteUser(service));
            server.route(restoreUser(service));
            server.route(renewInvitation(service));
            server.route(acceptInvitation(service));
        });
    },
};
