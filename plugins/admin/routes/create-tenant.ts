import { describeRoute } from '../../../src/http/describe-route.ts';
import { createdTenantAnswer, createdTenantExample, createTenantPayload, type CreateTenant } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AdminService } from '../api.ts';

export const createTenant = (admin: AdminService): ServerRoute<{ Payload: CreateTenant }> => ({
    method: 'POST',
    path: '/api/admin/tenants',
    options: {
        ...describeRoute('Create a tenant with its first admin', {
            tag: 'admin',
            notes: 'Without a password the answer has an invitation token for the admin.',
            answer: createdTenantAnswer,
            example: createdTenantExample,
            status: 201,
            grows: true,
            isExpensive: true,
            errors: ['DOMAIN_TAKEN', 'SERVER_BUSY'],
            idempotent: true,
        }),
        auth: { access: { scope: 'tenant:write' } },
        validate: { payload: createTenantPayload },
    },
    handler: async ({ auth, payload }) => {
        const { token, ...created } = await admin.createTenant(auth.credentials.actor, payload);
        return { ...created, ...(token !== null && { token }) };
    },
});
