import { describeRoute } from '../../../src/http/describe-route.ts';
import { eventStream } from '../../../src/http/sse.ts';
import {
    restoreAnswer,
    restoreEventsExample,
    restoreExample,
    restoreParams,
    type RestoreParams,
} from '../restore-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Restores } from '../restore-service.ts';

const NOTES = `Server-sent events: \`progress\` with the restore as it is now and each time that it is a step further, and at
its end \`complete\` or \`error\`. Whoever opens the stream again gets it as it is then.`;

export const streamRestore = (restores: Restores): ServerRoute<{ Params: RestoreParams }> => ({
    method: 'GET',
    path: '/api/backups/restores/{restoreId}/stream',
    options: {
        ...describeRoute('Follow a restore', {
            tag: 'backups',
            notes: NOTES,
            answer: restoreAnswer,
            example: { restore: restoreExample },
            streamExample: restoreEventsExample,
            errors: ['RESTORE_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
            whileRestoring: true,
        }),
        auth: { access: { scope: 'backup:read' } },
        validate: { params: restoreParams },
        timeout: { server: false },
    },
    handler: async ({ auth, params }, h) =>
        h
            .response(eventStream(await restores.follow(auth.credentials.actor, params.restoreId)))
            .type('text/event-stream')
            .header('cache-control', 'no-cache')
            .header('x-accel-buffering', 'no'),
});
