import { localPartOf } from '../../src/mail/address.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited, type EventEntry } from '../../src/redis/outbox.ts';

import type { CreatedTenant } from './api.ts';
import type { CreateTenant } from './schemas.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Directory, DirectoryPage, TenantQuery } from '../directory/api.ts';
import type { Tenant, TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

export interface AdminParts {
    tenants: TenantService;
    users: UserService;
    directory: Pick<Directory, 'tenants'>;
    append: AppendOutbox;
}

export type AdminService = ReturnType<typeof createAdminService>;

/** What platform admins do that concerns more than one feature. */
export function createAdminService({ tenants, users, directory, append }: AdminParts) {
    return {
        /** Told in the audit of the tenant and of the platform. @throws TENANT_NOT_FOUND */
        async getTenant(actor: Actor, tenantId: string): Promise<Tenant> {
            const tenant = await tenants.get(tenantId);
            const entry = { action: 'tenant.read', resource: 'tenant', resourceId: tenantId, result: 'success' };
            for (const told of new Set([tenantId, PLATFORM])) await append(told, { audit: [audited(actor, entry)] });
            return tenant;
        },

        /** All, or those that a search and filters find. Told in the audit of the platform. @throws INVALID_CURSOR */
        async listTenants(actor: Actor, query: TenantQuery): Promise<DirectoryPage<Tenant>> {
            const { q, status, plan, ...page } = query;
            const isAll = (q ?? status ?? plan) === undefined;
            const found = await (isAll ? tenants.list(page) : directory.tenants(query));
            const entry = { action: 'tenant.list', resource: 'tenant', resourceId: PLATFORM, result: 'success' };
            await append(PLATFORM, { audit: [audited(actor, entry)] });
            return found;
        },

        /**
         * A tenant with its first admin; told in its audit and, as intended and as done, in the platform's. @throws
         * DOMAIN_TAKEN
         */
        async createTenant(actor: Actor, { admin, ...details }: CreateTenant): Promise<CreatedTenant> {
            const { email, password, displayName = localPartOf(email) } = admin;
            const entryOf = (tenantId: string, result: string) =>
                audited(actor, { action: 'tenant.create', resource: 'tenant', resourceId: tenantId, result });
            const made = { userId: '', token: null as string | null };
            const tenant = await tenants.create(details, async (tenantId) => {
                const { user, drafts, token } = await users.prepare(tenantId, {
                    email,
                    displayName,
                    role: 'admin',
                    ...(password !== undefined && { password }),
                });
                Object.assign(made, { userId: user.id, token });
                await append(PLATFORM, { audit: [entryOf(tenantId, 'intended')] });
                const events: EventEntry[] = [
                    { type: 'tenant.created', data: { tenantId } },
                    { type: 'user.created', data: { userId: user.id } },
                ];
                return { drafts, outbox: { events, audit: [entryOf(tenantId, 'success')] } };
            });
            await append(PLATFORM, { audit: [entryOf(tenant.id, 'success')] });
            return { tenant, user: await users.get(tenant.id, made.userId), token: made.token };
        },
    };
}
