import { describeRoute } from '../../../src/http/describe-route.ts';
import {
    comparisonAnswer,
    comparisonExample,
    comparisonParams,
    comparisonQuery,
    type ComparisonParams,
    type ComparisonQuery,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Backups } from '../backup-service.ts';

export const compareBackups = (
    backups: Backups,
): ServerRoute<{ Params: ComparisonParams; Query: ComparisonQuery }> => ({
    method: 'GET',
    path: '/api/backups/{backupId}/compare/{otherBackupId}',
    options: {
        ...describeRoute('Compare two backups', {
            tag: 'backups',
            notes: 'By their records by kind and their digests; with `contents=true` both archives are read whole.',
            answer: comparisonAnswer,
            example: { comparison: comparisonExample },
            errors: [
                'BACKUP_NOT_FOUND',
                'INVALID_STATE',
                'BACKUP_DAMAGED',
                'BACKUP_FOREIGN',
                'BACKUP_TOO_NEW',
                'BACKUP_STORAGE_UNAVAILABLE',
            ],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'backup:read' } },
        validate: { params: comparisonParams, query: comparisonQuery },
    },
    handler: async ({ auth, params, query }) => {
        const ids: [string, string] = [params.backupId, params.otherBackupId];
        return { comparison: await backups.compare(auth.credentials.actor, ids, query.contents) };
    },
});
