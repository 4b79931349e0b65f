import type { CreateTenant } from './schemas.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { DirectoryPage, TenantQuery } from '../directory/api.ts';
import type { Tenant } from '../tenants/api.ts';
import type { PublicUser } from '../users/api.ts';

/** A tenant with its first admin. */
export interface CreatedTenant {
    tenant: Tenant;
    user: PublicUser;
    /** Of the admin's invitation, where no password was given. */
    token: string | null;
}

/** What platform admins and operators do with tenants; all of it is told in the audit. */
export interface AdminService {
    /** @throws DOMAIN_TAKEN, VALIDATION_ERROR for a password easy to guess, SERVER_BUSY */
    createTenant(actor: Actor, details: CreateTenant): Promise<CreatedTenant>;
    /** @throws TENANT_NOT_FOUND */
    getTenant(actor: Actor, tenantId: string): Promise<Tenant>;
    /** All, or those that a search and filters find. @throws INVALID_CURSOR */
    listTenants(actor: Actor, query: TenantQuery): Promise<DirectoryPage<Tenant>>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        admin: AdminService;
    }
}
