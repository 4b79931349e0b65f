import { describeRoute } from '../../../src/http/describe-route.ts';
import { historyAnswer, historyData, historyQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { HistoryService } from '../history-service.ts';
import type { HistoryQuery } from '../history.ts';

const NOTES = `The ledger of your tenant, the newest first unless asked otherwise. Admins see all of it, others what they
have caused themselves. A page may be short, or empty, though there are more: \`hasMore\` tells.`;

export const listHistory = (history: HistoryService): ServerRoute<{ Query: HistoryQuery }> => ({
    method: 'GET',
    path: '/api/billing/history',
    options: {
        ...describeRoute('List what was charged and paid', {
            tag: 'billing',
            notes: NOTES,
            answer: historyAnswer,
            example: historyData,
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: ['billing:read', 'billing:read-own'] } },
        validate: { query: historyQuery },
    },
    handler: ({ auth, query }) => history.page(auth.credentials.actor, query),
});
