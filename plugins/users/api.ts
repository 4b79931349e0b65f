import type { SearchTerms } from './search-terms.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Draft } from '../../src/redis/create-records.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Plan } from '../tenants/api.ts';

export { passwordSchema, userExample, userParams, userSchema, type UserParams } from './schemas.ts';

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
    /** Null until an invitation is accepted. */
    passwordHash: string | null;
    /** What a search finds the user by. */
    terms: SearchTerms;
    /** Sessions that began before are over. */
    epoch: string | null;
}

export type NewUser = Pick<User, 'email' | 'displayName' | 'role' | 'passwordHash'> & Partial<Pick<User, 'tier'>>;

/** A user that gets a password now, or without one an invitation. */
export type UserDetails = Omit<NewUser, 'passwordHash'> & { password?: string | undefined };

/** A user to be created; `token` is the invitation's, which nobody can tell again. */
export interface PreparedUser {
    user: Pick<User, 'id' | 'username' | 'role'>;
    drafts: Draft[];
    token: string | null;
}

/** Removes what a feature keeps of a user. It may be called again after it was interrupted, or for nothing. */
export type PurgeStep = (tenantId: string, userId: string) => Promise<void>;

/** Names keys that a feature keeps of a user. */
export type KeysOf = (tenantId: string, userId: string) => string[];

/** The port of the users feature. */
export interface UserService {
    /** A user to be created together with other records; the e-mail address is unique in the tenant (EMAIL_TAKEN). */
    draft(tenantId: string, user: NewUser): { user: Pick<User, 'id' | 'username' | 'role'>; draft: Draft };
    /** The same from a password, or with an invitation in its place. @throws SERVER_BUSY */
    prepare(tenantId: string, details: UserDetails): Promise<PreparedUser>;
    /** @throws USER_NOT_FOUND */
    get(tenantId: string, userId: string): Promise<PublicUser>;
    /** With the password hash: for authentication only, as `findByEmail`. */
    find(tenantId: string, userId: string): Promise<User | null>;
    findByEmail(tenantId: string, email: string): Promise<User | null>;
    /**
     * Deletes a user softly: every session is over, and in 30 days all of it is purged.
     *
     * @throws USER_NOT_FOUND, REVISION_MISMATCH, LAST_ADMIN, ALREADY_DELETED
     */
    remove(actor: Actor, userId: string, revision?: number): Promise<PublicUser>;
    /** Names what is destroyed at once when a user is deleted, in the same script. */
    destroyWith(keysOf: KeysOf): void;
    /** Has a feature remove what it keeps of a user that is purged, before the user itself goes. */
    onPurge(step: PurgeStep): void;
    /** Removes everything of a user whose time to be restored is over; sees to it later when it is not. */
    purge(tenantId: string, userId: string): Promise<void>;
    /** Without the password hash. */
    publish(user: User): PublicUser;
    /** For scripts that give a user another name: what finds the user, and by which terms from then on. */
    renaming(tenantId: string, displayName: string): { termsKey: string; terms: Partial<SearchTerms> };
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
