import { apiError } from '../../src/http/errors.ts';
import { Collection } from '../../src/redis/collection.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { User } from './api.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

export type UserStore = ReturnType<typeof createUserStore>;

/** Users of a tenant: `user:<id>`, `users` by time of creation, `users:by-email`. */
export function createUserStore(store: Datastore, vault: Vault) {
    const softDelete = store.script(new URL('./lua/soft-delete-user.lua', import.meta.url));
    const users = new Collection<User>(store, vault, {
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
    return {
        users,
        /** @param destroyed Keys that go with the user @throws USER_NOT_FOUND */
        async softDelete(tenantId: string, userId: string, destroyed: string[], outbox: Outbox): Promise<void> {
            const keys = [users.key(tenantId, userId), ...outboxKeys(tenantId), ...destroyed];
            const done = await softDelete(keys, [JSON.stringify(outboxLists(outbox))]);
            if (done === 0) throw apiError('USER_NOT_FOUND');
        },
    };
}
