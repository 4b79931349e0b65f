import { describeRoute } from '../../../src/http/describe-route.ts';
import { bulkAnswer, bulkExample, createBulkPayload } from '../bulk-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Bulks } from '../bulk-service.ts';
import type { NewBulk } from '../bulk.ts';

const NOTES = `Up to 1000 users of any tenants, one after the other, by the same rules as one by one. What is already as it
should be counts as done. \`GET /api/admin/bulk/{bulkId}\` tells how far it is, for 30 days.`;

export const createBulk = (bulks: Bulks): ServerRoute<{ Payload: NewBulk }> => ({
    method: 'POST',
    path: '/api/admin/users/bulk',
    options: {
        ...describeRoute('Change many users', {
            tag: 'admin',
            notes: NOTES,
            answer: bulkAnswer,
            example: { bulk: bulkExample },
            status: 202,
            idempotent: true,
        }),
        auth: { access: { scope: 'account:write' } },
        validate: { payload: createBulkPayload },
    },
    handler: async ({ auth, payload }) => ({ bulk: await bulks.create(auth.credentials.actor, payload) }),
});
