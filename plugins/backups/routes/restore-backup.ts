import { describeRoute } from '../../../src/http/describe-route.ts';
import { restoreAnswer, restoreBackupPayload, restoreExample, type RestoreBackup } from '../restore-schemas.ts';
import { backupParams, type BackupParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Restores } from '../restore-service.ts';

const NOTES = `What your tenant has of those components is replaced, not merged. First the archive is verified, then a
backup of what is there is made; only then is anything put in its place. While that happens every request of the tenant is
refused with \`TENANT_RESTORING\`, but those that tell how far it is: \`GET /api/backups/restores/{restoreId}\` and its
stream. Plan and credits do not change.`;

export const restoreBackup = (restores: Restores): ServerRoute<{ Params: BackupParams; Payload: RestoreBackup }> => ({
    method: 'POST',
    path: '/api/backups/{backupId}/restore',
    options: {
        ...describeRoute('Restore a backup', {
            tag: 'backups',
            notes: NOTES,
            answer: restoreAnswer,
            example: { restore: restoreExample },
            status: 202,
            errors: [
                'BACKUP_NOT_FOUND',
                'BACKUP_COMPONENT_MISSING',
                'INVALID_STATE',
                'BACKUP_IN_PROGRESS',
                'RESTORE_IN_PROGRESS',
            ],
            grows: true,
            rateLimit: { limit: 3, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'backup:restore' } },
        validate: { params: backupParams, payload: restoreBackupPayload },
    },
    handler: async ({ auth, params, payload }) => ({
        restore: await restores.start(auth.credentials.actor, { ...payload, backupId: params.backupId }),
    }),
});
