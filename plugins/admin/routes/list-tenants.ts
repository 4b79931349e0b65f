import { describeRoute } from '../../../src/http/describe-route.ts';
import { tenantExample } from '../../tenants/api.ts';
import { tenantQuery, tenantsAnswer, type TenantListQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AdminService } from '../api.ts';

const NOTES = `By creation. With \`q\` in alphabetical order, whatever \`order\` says, and without \`totalCount\`; a page
of it may be shorter than \`limit\` although there are more. What has changed is found by \`q\`, \`status\` and \`plan\` about
a second later; what is shown is as it is now.`;

export const listTenants = (admins: AdminService): ServerRoute<{ Query: TenantListQuery }> => ({
    method: 'GET',
    path: '/api/admin/tenants',
    options: {
        ...describeRoute('List the tenants', {
            tag: 'admin',
            notes: NOTES,
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
