import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { backupAnswer, begunExample, createBackupPayload, type CreateBackup } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

const NOTES = `It is made in the background, one at a time: see its \`state\` at \`GET /api/backups/{backupId}/details\`.
\`database\` has users, API keys, threads, tunnels and proxies; \`config\` settings, limits and schedules; \`full\` all.`;

export const createBackup = (backups: Backups): ServerRoute<{ Payload: CreateBackup }> => ({
    method: 'POST',
    path: '/api/backups/create',
    options: {
        ...describeRoute('Back your tenant up', {
            tag: 'backups',
            notes: NOTES,
            answer: backupAnswer,
            example: { backup: begunExample },
            status: 202,
            errors: ['BACKUP_IN_PROGRESS', 'RESTORE_IN_PROGRESS'],
            rateLimit: { limit: 3, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'backup:create' } },
        validate: { payload: createBackupPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const backup = await backups.create(auth.credentials.actor, payload);
        return h.response({ backup }).etag(etagOf(backup));
    },
});
