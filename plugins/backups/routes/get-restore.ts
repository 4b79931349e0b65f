import { describeRoute } from '../../../src/http/describe-route.ts';
import { restoreAnswer, restoreExample, restoreParams, type RestoreParams } from '../restore-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Restores } from '../restore-service.ts';

export const getRestore = (restores: Restores): ServerRoute<{ Params: RestoreParams }> => ({
    method: 'GET',
    path: '/api/backups/restores/{restoreId}',
    options: {
        ...describeRoute('See how far a restore is', {
            tag: 'backups',
            answer: restoreAnswer,
            example: { restore: restoreExample },
            errors: ['RESTORE_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
            whileRestoring: true,
        }),
        auth: { access: { scope: 'backup:read' } },
        validate: { params: restoreParams },
    },
    handler: async ({ auth, params }) => ({
        restore: await restores.get(auth.credentials.actor, params.restoreId),
    }),
});
