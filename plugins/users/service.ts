import { newId } from '../../src/ids.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { PublicUser, User, UserService } from './api.ts';
import type { UserStore } from './store.ts';

export function createUserService(store: UserStore): UserService {
    const { users } = store;
    const attached: ((tenantId: string, userId: string) => string[])[] = [];
    return {
        draft(tenantId, { email, ...details }) {
            const user = {
                id: newId('user'),
                username: email,
                email,
                tier: null,
                isActive: true,
                epoch: null,
                deletedAt: null,
                ...details,
            };
            return { user, draft: users.draft(tenantId, user) };
        },
        get: async (tenantId, userId) => publish(await users.get({ tenantId }, userId)),
        async findByEmail(tenantId, email) {
            const id = await users.findId(tenantId, 'email', email);
            return id === null ? null : users.find({ tenantId }, id);
        },
        async softDelete(actor, userId) {
            const { tenantId } = actor;
            const entry = { action: 'user.delete', resource: 'user', resourceId: userId, result: 'success' };
            const events = [{ type: 'user.deleted', data: { userId } }];
            const destroyed = attached.flatMap((keysOf) => keysOf(tenantId, userId));
            await store.softDelete(tenantId, userId, destroyed, { events, audit: [audited(actor, entry)] });
        },
        destroyWith: (keysOf) => void attached.push(keysOf),
        publish,
        key: (tenantId, userId) => users.key(tenantId, userId),
        decode: (flat) => users.decode(flat),
    };
}

function publish({ passwordHash: _secret, epoch: _epoch, ...user }: User): PublicUser {
    return user;
}
