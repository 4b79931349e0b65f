import { localPartOf } from '../../src/mail/address.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited, type EventEntry } from '../../src/redis/outbox.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';

import type { AdminService } from './api.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Directory } from '../directory/api.ts';
import type { TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

interface AdminParts {
    tenants: TenantService;
    users: UserService;
    directory: Pick<Directory, 'tenants'>;
    append: AppendOutbox;
}

/** What platform admins do that concerns more than one feature. */
export function createAdminService({ tenants, users, directory, append }: AdminParts): AdminService {
    return {
        /** Told in the audit of the tenant and of the platform. */
        async getTenant(actor, tenantId) {
            const tenant = await tenants.get(tenantId);
            await tellLook(append, actor, { id: tenantId, action: 'tenant.read' }, tenantId);
            return tenant;
        },

        /** Told in the audit of the platform. */
        async listTenants(actor, query) {
            const { q, status, plan, ...page } = query;
            const isAll = (q ?? status ?? plan) === undefined;
            const found = await (isAll ? tenants.list(page) : directory.tenants(query));
            await tellLook(append, actor, { id: PLATFORM, action: 'tenant.list' });
            return found;
        },

        /** Told in the audit of the tenant and, as intended and as done, in the platform's. */
        async createTenant(actor, { admin, ...details }) {
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
