import { describeRoute } from '../../../src/http/describe-route.ts';
import { statsAnswer, statsExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

export const getStats = (backups: Backups): ServerRoute => ({
    method: 'GET',
    path: '/api/backups/stats',
    options: {
        ...describeRoute('Get figures of your backups', {
            tag: 'backups',
            notes: 'Of those that are complete and kept, by the day of their beginning in UTC; and how many ended well.',
            answer: statsAnswer,
            example: { stats: statsExample },
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'backup:read' } },
    },
    handler: async ({ auth }) => ({ stats: await backups.stats(auth.credentials.actor) }),
});
