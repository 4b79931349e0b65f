import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantExample, type TenantService } from '../../tenants/api.ts';
import { tenantQuery, tenantsAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';

export const listTenants = (tenants: TenantService): ServerRoute<{ Query: PageParams }> => ({
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
    handler: async ({ query: { order: direction, ...query } }) => {
        const { items, pagination } = await tenants.list({ ...query, direction });
        return { tenants: items, pagination };
    },
});
