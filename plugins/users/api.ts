import type { RecordBase } from '../../src/redis/codec.ts';
import type { Draft } from '../../src/redis/create-records.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Plan } from '../tenants/api.ts';

export { userExample, userSchema } from './schemas.ts';

/** `admin` and `user` in a tenant; the other roles exist in the platform's own tenant only. */
export type Role = 'admin' | 'user' | 'superadmin' | 'support' | 'finance';

/** A user as the API shows it. */
export interface PublicUser extends RecordBase {
    /** What the user logs in with: the e-mail address. */
    username: string;
    email: string;
    displayName: string;
    role: Role;
    /** Set when it is another than the tenant's plan. */
    tier: Plan | null;
    isActive: boolean;
    deletedAt: string | null;
}

/** A user as it is stored. */
export interface User extends PublicUser {
    passwordHash: string;
    /** Sessions that began before are over. */
    epoch: string | null;
}

export type NewUser = Pick<User, 'email' | 'displayName' | 'role' | 'passwordHash'>;

/** The port of the users feature. */
export interface UserService {
    /** A user to be created together with other records; the e-mail address is unique in the tenant (EMAIL_TAKEN). */
    draft(tenantId: string, user: NewUser): { user: Pick<User, 'id' | 'username' | 'role'>; draft: Draft };
    /** @throws USER_NOT_FOUND */
    get(tenantId: string, userId: string): Promise<PublicUser>;
    /** With the password hash: for the login only. */
    findByEmail(tenantId: string, email: string): Promise<User | null>;
    /** Without the password hash. */
    publish(user: User): PublicUser;
    /** Takes a user out of service, sessions and all; the record stays to be restored. @throws USER_NOT_FOUND */
    softDelete(actor: Actor, userId: string): Promise<void>;
    /** Names what is destroyed at once when a user is deleted, in the same script. */
    destroyWith(keysOf: (tenantId: string, userId: string) => string[]): void;
    /** Where a user's record lives, for scripts that look at the user's standing. */
    key(tenantId: string, userId: string): string;
    /** Reads what such a script returned. */
    decode(flat: string[]): User;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        users: UserService;
    }
}
