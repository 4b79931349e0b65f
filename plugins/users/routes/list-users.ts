import { describeRoute } from '../../../src/http/describe-route.ts';
import { memberExample, userQuery, usersAnswer, type UserListQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Users } from '../service.ts';

const NOTES = `By creation. With \`q\` in alphabetical order, whatever \`order\` says, and without \`totalCount\`; a page
of it may be shorter than \`limit\` although there are more.`;

export const listUsers = (users: Users): ServerRoute<{ Query: UserListQuery }> => ({
    method: 'GET',
    path: '/api/users',
    options: {
        ...describeRoute('List the users of your tenant', {
            tag: 'users',
            notes: NOTES,
            answer: usersAnswer,
            example: { users: [memberExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
        }),
        auth: { access: { scope: 'user:read' } },
        validate: { query: userQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const { items, pagination } = await users.list(auth.credentials.actor, { ...query, direction });
        return { users: items, pagination };
    },
});
