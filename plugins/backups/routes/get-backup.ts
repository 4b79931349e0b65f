import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { backupAnswer, backupExample, backupParams, type BackupParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

export const getBackup = (backups: Backups): ServerRoute<{ Params: BackupParams }> => ({
    method: 'GET',
    path: '/api/backups/{backupId}/details',
    options: {
        ...describeRoute('Get a backup', {
            tag: 'backups',
            answer: backupAnswer,
            example: { backup: backupExample },
            errors: ['BACKUP_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'backup:read' } },
        validate: { params: backupParams },
    },
    handler: async ({ auth, params }, h) => {
        const backup = await backups.get(auth.credentials.actor, params.backupId);
        return h.response({ backup }).etag(etagOf(backup));
    },
});
