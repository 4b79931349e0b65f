import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { backupExample, backupParams, deletedBackupAnswer, type BackupParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

export const deleteBackup = (backups: Backups): ServerRoute<{ Params: BackupParams }> => ({
    method: 'DELETE',
    path: '/api/backups/{backupId}',
    options: {
        ...describeRoute('Delete a backup', {
            tag: 'backups',
            answer: deletedBackupAnswer,
            example: { backup: { id: backupExample.id, deleted: true } },
            errors: ['BACKUP_NOT_FOUND', 'REVISION_MISMATCH', 'BACKUP_IN_PROGRESS', 'RESTORE_IN_PROGRESS'],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'backup:delete' } },
        validate: { params: backupParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => {
        await backups.delete(auth.credentials.actor, params.backupId, revisionOf(headers));
        return { backup: { id: params.backupId, deleted: true } };
    },
});
