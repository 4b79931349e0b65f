import { describeRoute } from '../../../src/http/describe-route.ts';
import {
    bulkParams,
    bulkResultAnswer,
    completedBulkExample,
    failuresExample,
    type BulkParams,
} from '../bulk-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Bulks } from '../bulk-service.ts';

export const getBulk = (bulks: Bulks): ServerRoute<{ Params: BulkParams }> => ({
    method: 'GET',
    path: '/api/admin/bulk/{bulkId}',
    options: {
        ...describeRoute('Tell how far a change of many users is', {
            tag: 'admin',
            notes: 'With the users that could not be changed, each with the code of the refusal.',
            answer: bulkResultAnswer,
            example: { bulk: completedBulkExample, failures: failuresExample },
            errors: ['BULK_NOT_FOUND'],
        }),
        auth: { access: { scope: 'account:read' } },
        validate: { params: bulkParams },
    },
    handler: async ({ auth, params }) => bulks.get(auth.credentials.actor, params.bulkId),
});
