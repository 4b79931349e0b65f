import { describeRoute } from '../../../src/http/describe-route.ts';
import { bulkQuery, bulksAnswer, completedBulkExample } from '../bulk-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { Bulks } from '../bulk-service.ts';

export const listBulks = (bulks: Bulks): ServerRoute<{ Query: PageParams }> => ({
    method: 'GET',
    path: '/api/admin/bulk',
    options: {
        ...describeRoute('List the changes of many users', {
            tag: 'admin',
            notes: 'Those of the last 30 days, by creation.',
            answer: bulksAnswer,
            example: { bulks: [completedBulkExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
        }),
        auth: { access: { scope: 'account:read' } },
        validate: { query: bulkQuery },
    },
    handler: async ({ auth, query }) => {
        const { items, pagination } = await bulks.list(auth.credentials.actor, query);
        return { bulks: items, pagination };
    },
});
