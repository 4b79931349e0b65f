import { describeRoute } from '../../../src/http/describe-route.ts';
import { accountQuery, accountsAnswer, accountsExample, type AccountListQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Accounts } from '../service.ts';

const NOTES = `By creation. With \`q\` in alphabetical order, whatever \`order\` says, and without \`totalCount\`; a page
of it may be shorter than \`limit\` although there are more. Without \`tenantId\` what has changed is found about a second
later; what is shown is as it is now. The platform’s own users are at \`GET /api/users\`.`;

export const listAccounts = (accounts: Accounts): ServerRoute<{ Query: AccountListQuery }> => ({
    method: 'GET',
    path: '/api/admin/users',
    options: {
        ...describeRoute('List the users of all tenants', {
            tag: 'admin',
            notes: NOTES,
            answer: accountsAnswer,
            example: accountsExample,
            isPage: true,
            errors: ['TENANT_NOT_FOUND', 'INVALID_CURSOR'],
        }),
        auth: { access: { scope: 'account:read' } },
        validate: { query: accountQuery },
    },
    handler: async ({ auth, query }) => {
        const { items, pagination } = await accounts.list(auth.credentials.actor, query);
        return { users: items, pagination };
    },
});
