import { addKeys } from './routes/add-keys.ts';
import { deleteAvatar } from './routes/delete-avatar.ts';
import { deleteProfile } from './routes/delete-profile.ts';
import { getAvatar } from './routes/get-avatar.ts';
import { getProfile } from './routes/get-profile.ts';
import { listActivity } from './routes/list-activity.ts';
import { putAvatar } from './routes/put-avatar.ts';
import { removeKey } from './routes/remove-key.ts';
import { updateProfile } from './routes/update-profile.ts';
import { createProfileService, withInterval } from './service.ts';
import { ProfileStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { ProfileService } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const profile: Plugin<Platform> = {
    name: 'profile',
    dependencies: ['auth', 'users', 'models'],
    register: (server, { store, vault }) => {
        const { auth, users, models } = server.plugins;
        const profileStore = new ProfileStore(store, vault, users, models.keys);
        const service = createProfileService(profileStore, { auth, users, models });
        users.destroyWith((tenantId, userId) => [profileStore.avatarKey({ tenantId, userId })]);
        users.backUpWith((tenantId, userId) => {
            const owner = { tenantId, userId };
            return [profileStore.key(owner), profileStore.avatarKey(owner)];
        });
        users.onPurge((tenantId, userId) => profileStore.purge({ tenantId, userId }));
        const port: ProfileService = {
            key: (owner) => profileStore.key(owner),
            callDefaults: (flat) => withInterval(profileStore.decode(flat)),
        };
        server.expose(port);
        server.route(getProfile(service));
        server.route(updateProfile(service));
        server.route(deleteProfile(service));
        server.route(addKeys(models.keys));
        server.route(removeKey(models.keys));
        server.route(putAvatar(service));
        server.route(getAvatar(service));
        server.route(deleteAvatar(service));
        server.route(listActivity(service));
    },
};
