import type { SearchTerms } from './search-terms.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Plan } from '../tenants/api.ts';

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

/** What an admin may change of a user. */
export type UserChanges = Partial<Pick<User, 'email' | 'displayName' | 'role' | 'tier' | 'isActive'>>;

export interface UserQuery {
    q?: string | undefined;
    limit: number;
    cursor?: string | undefined;
    direction: 'asc' | 'desc';
}

/** A page; what a search finds is not counted. */
export interface UserPage {
    items: PublicUser[];
    pagination: Omit<Page<never>['pagination'], 'totalCount'> & { totalCount?: number };
}
