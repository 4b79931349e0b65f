import { newId } from '../../src/ids.ts';

import type { PublicUser, User, UserService } from './api.ts';
import type { Collection } from '../../src/redis/collection.ts';

export function createUserService(users: Collection<User>): UserService {
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
        publish,
        key: (tenantId, userId) => users.key(tenantId, userId),
        decode: (flat) => users.decode(flat),
    };
}

function publish({ passwordHash: _secret, epoch: _epoch, ...user }: User): PublicUser {
    return user;
}
