import { describeRoute } from '../../../src/http/describe-route.ts';
import { verificationAnswer, verificationExample, verifyQuery, type VerifyQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { VerifyService } from '../verify-service.ts';

const NOTES = `Follows the chain of hashes from the oldest entry, or from what stands for those that were trimmed, and names
the first one that was changed, removed or added in the store. A long audit is checked in parts: ask again with the
\`cursor\`.`;

export const verifyAudit = (audit: VerifyService): ServerRoute<{ Query: VerifyQuery }> => ({
    method: 'GET',
    path: '/api/audit/verify',
    options: {
        ...describeRoute('Verify the audit', {
            tag: 'audit',
            notes: NOTES,
            answer: verificationAnswer,
            example: verificationExample,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'audit:read' } },
        validate: { query: verifyQuery },
    },
    handler: async ({ auth, query: { cursor } }) => ({
        verification: await audit.verify(auth.credentials.actor, cursor),
    }),
});
