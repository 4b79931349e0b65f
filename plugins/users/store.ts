import { Collection } from '../../src/redis/collection.ts';

import type { User } from './api.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/** Users of a tenant: `user:<id>`, `users` by time of creation, `users:by-email`. */
export const createUserStore = (store: Datastore, vault: Vault): Collection<User> =>
    new Collection<User>(store, vault, {
        name: 'user',
        fields: {
            username: 'text',
            email: 'text',
            displayName: 'text',
            role: 'text',
            tier: 'text',
            isActive: 'boolean',
            passwordHash: 'text',
            epoch: 'time',
            deletedAt: 'time',
        },
        unique: [{ field: 'email', index: ['users', 'by-email'], taken: 'EMAIL_TAKEN' }],
        orders: { created: { by: 'createdAt', index: () => ['users'] } },
        notFound: 'USER_NOT_FOUND',
    });
