import { describeRoute } from '../../../src/http/describe-route.ts';
import { auditAnswer, auditExample, auditQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AuditQuery } from '../query.ts';
import type { EntryService } from '../service.ts';

const NOTES = `Who did what in your tenant, from where and with what result, the newest first unless asked otherwise. A page
may be short, or empty, though there are more: \`hasMore\` tells.`;

export const listEntries = (audit: EntryService): ServerRoute<{ Query: AuditQuery }> => ({
    method: 'GET',
    path: '/api/audit',
    options: {
        ...describeRoute('List the audit', {
            tag: 'audit',
            notes: NOTES,
            answer: auditAnswer,
            example: auditExample,
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'audit:read' } },
        validate: { query: auditQuery },
    },
    handler: ({ auth, query }) => audit.page(auth.credentials.actor, query),
});
