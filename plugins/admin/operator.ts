import { inBothAudits } from '../../src/redis/both-audits.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { OperatorAdmin } from './api.ts';
import type { AdminParts, AdminService } from './service.ts';

/** What commands do with tenants and their users. */
export const operatorAdmin = (admins: AdminService, { tenants, users, append }: AdminParts): OperatorAdmin => ({
    createTenant: (actor, details) => admins.createTenant(actor, details),
    getTenant: (actor, tenantId) => admins.getTenant(actor, tenantId),
    listTenants: (actor, query) => admins.listTenants(actor, query),

    async listUsers(actor, tenantId, query) {
        await tenants.get(tenantId);
        const page = await users.list({ ...actor, tenantId }, query);
        const entry = { action: 'user.list', resource: 'tenant', resourceId: tenantId, result: 'success' };
        for (const told of new Set([tenantId, PLATFORM])) await append(told, { audit: [audited(actor, entry)] });
        return page;
    },

    async setActive(actor, tenantId, userId, { isActive, reason }) {
        await tenants.get(tenantId);
        const action = isActive ? 'user.activate' : 'user.suspend';
        const details = { userId, ...(reason !== undefined && { reason }) };
        return inBothAudits(append, actor, { id: tenantId, action, details }, async (audit) => {
            const user = await users.change({ ...actor, tenantId }, userId, { isActive });
            // The reason, which a change of a user does not have.
            if (tenantId !== PLATFORM) await append(tenantId, { audit: [audit] });
            return user;
        });
    },
});
