import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantExample } from '../../tenants/api.ts';
import { tenantQuery, tenantsAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { AdminService } from '../service.ts';

export const listTenants = (admins: AdminService): ServerRoute<{ Query: PageParams }> => ({
    method: 'GET',
    path: '/api/admin/tenants',
    options: {
        ...describeRoute('List the tenants', {
            tag: 'admin',
            answer: tenantsAnswer,
            example: { tenants: [tenantExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
        }),
        auth: { access: { scope: 'tenant:read' } },
        validate: { query: tenantQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const { items, pagination } = await admins.listTenants(auth.credentials.actor, { ...query, direction });
        return { tenants: items, pagination };
    },
});
