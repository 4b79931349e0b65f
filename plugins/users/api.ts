import type { SearchTerms } from './search-terms.ts';
import type { NewUser, PublicUser, User, UserChanges, UserDetails, UserPage, UserQuery } from './user.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { Draft } from '../../src/redis/create-records.ts';
import type { Actor } from '../../src/types/actor.ts';

export {
    passwordSchema,
    userExample,
    userParams,
    userQuery,
    userSchema,
    type UserListQuery,
    type UserParams,
} from './schemas.ts';

export type * from './user.ts';

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
    /** The tenant's admins who can act, some of them if there are very many. */
    admins(tenantId: string): Promise<PublicUser[]>;
    /**
     * A page by creation, or with `q` those of whom a name or the e-mail begins so, in alphabetical order.
     *
     * @throws INVALID_CURSOR
     */
    list(place: Pick<Actor, 'tenantId'>, query: UserQuery): Promise<UserPage>;
    /**
     * Changes a user of the actor's tenant; the reason stands in the audit.
     *
     * @throws USER_NOT_FOUND, REVISION_MISMATCH, EMAIL_TAKEN, LAST_ADMIN, ALREADY_DELETED, VALIDATION_ERROR
     */
    change(
        actor: Actor,
        userId: string,
        changes: UserChanges,
        options?: { revision?: number | undefined; reason?: string | undefined },
    ): Promise<PublicUser>;
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
    /** Names what a feature keeps of a user that is backed up with him. */
    backUpWith(keysOf: KeysOf): void;
    /** Of all users of the tenant, some at a time. */
    ids(tenantId: string): AsyncIterable<string[]>;
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
        users: UserService & BackedUp;
    }
}
