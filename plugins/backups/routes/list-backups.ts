import { describeRoute } from '../../../src/http/describe-route.ts';
import { backupExample, backupQuery, backupsAnswer, type BackupQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

const NOTES = 'With a filter a page may be short though `hasMore` is true: go on with its cursor.';

export const listBackups = (backups: Backups): ServerRoute<{ Query: BackupQuery }> => ({
    method: 'GET',
    path: '/api/backups/list',
    options: {
        ...describeRoute('List the backups of your tenant', {
            tag: 'backups',
            notes: NOTES,
            answer: backupsAnswer,
            example: { backups: [backupExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'backup:read' } },
        validate: { query: backupQuery },
    },
    handler: async ({ auth, query }) => {
        const { items, pagination } = await backups.list(auth.credentials.actor, query);
        return { backups: items, pagination };
    },
});
