import type { CreateTenant } from './schemas.ts';
import type { PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { DirectoryPage } from '../directory/api.ts';
import type { Tenant } from '../tenants/api.ts';
import type { PublicUser, UserPage, UserQuery } from '../users/api.ts';

/** A tenant with its first admin. */
export interface CreatedTenant {
    tenant: Tenant;
    user: PublicUser;
    /** Of the admin's invitation, where no password was given. */
    token: string | null;
}

/** What an operator does by a command; all of it is told in the audit, as what is asked of the API. */
export interface OperatorAdmin {
    /** @throws DOMAIN_TAKEN, VALIDATION_ERROR for a password easy to guess, SERVER_BUSY */
    createTenant(actor: Actor, details: CreateTenant): Promise<CreatedTenant>;
    /** @throws TENANT_NOT_FOUND */
    getTenant(actor: Actor, tenantId: string): Promise<Tenant>;
    /** @throws INVALID_CURSOR */
    listTenants(actor: Actor, query: Omit<PageQuery, 'order'>): Promise<DirectoryPage<Tenant>>;
    /** @throws TENANT_NOT_FOUND, INVALID_CURSOR */
    listUsers(actor: Actor, tenantId: string, query: UserQuery): Promise<UserPage>;
    /** Lets a user in or not, from the next request on. @throws TENANT_NOT_FOUND, USER_NOT_FOUND, LAST_ADMIN */
    setActive(actor: Actor, tenantId: string, userId: string, standing: Standing): Promise<PublicUser>;
}

export interface Standing {
    isActive: boolean;
    reason?: string | undefined;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        admin: { operator: OperatorAdmin };
    }
}
