import { Readable } from 'node:stream';

import { describeRoute } from '../../../src/http/describe-route.ts';
import { backupParams, type BackupParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

const NOTES = `The archive as it is stored: sealed, so that only an installation with the same vault keys can read it. Its
SHA-256 is the \`sha256\` of the backup, and the \`ETag\`.`;

export const downloadBackup = (backups: Backups): ServerRoute<{ Params: BackupParams }> => ({
    method: 'GET',
    path: '/api/backups/{backupId}/download',
    options: {
        ...describeRoute('Download a backup', {
            tag: 'backups',
            notes: NOTES,
            answersBinary: ['application/octet-stream'],
            errors: ['BACKUP_NOT_FOUND', 'INVALID_STATE', 'BACKUP_DAMAGED', 'BACKUP_STORAGE_UNAVAILABLE'],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'backup:read' } },
        validate: { params: backupParams },
    },
    handler: async ({ auth, params }, h) => {
        const { backup, body, bytes } = await backups.download(auth.credentials.actor, params.backupId);
        return h
            .response(Readable.from(body, { objectMode: false }))
            .type('application/octet-stream')
            .bytes(bytes)
            .etag(backup.sha256 ?? backup.id)
            .header('cache-control', 'private, no-cache')
            .header('content-disposition', `attachment; filename="${backup.id}.bak"`);
    },
});
