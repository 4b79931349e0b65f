import { describeRoute } from '../../../src/http/describe-route.ts';
import { backupAnswer, backupExample, backupParams, type BackupParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

const NOTES = `The whole archive is read in the background. Its \`verification\` tells how that ended, and a backup that is
whole is \`verified\`.`;

export const verifyBackup = (backups: Backups): ServerRoute<{ Params: BackupParams }> => ({
    method: 'POST',
    path: '/api/backups/{backupId}/verify',
    options: {
        ...describeRoute('Verify a backup', {
            tag: 'backups',
            notes: NOTES,
            answer: backupAnswer,
            example: {
                backup: {
                    ...backupExample,
                    verification: { result: 'running', error: null, at: '2026-11-20T11:00:00.000Z' },
                },
            },
            status: 202,
            errors: ['BACKUP_NOT_FOUND', 'INVALID_STATE'],
            rateLimit: { limit: 10, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'backup:create' } },
        validate: { params: backupParams },
    },
    handler: async ({ auth, params }) => ({
        backup: await backups.verify(auth.credentials.actor, params.backupId),
    }),
});
