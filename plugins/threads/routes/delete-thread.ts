import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { deletedThreadAnswer, threadExample, threadParams, type ThreadParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ThreadService } from '../thread-service.ts';

export const deleteThread = (threads: ThreadService): ServerRoute<{ Params: ThreadParams }> => ({
    method: 'DELETE',
    path: '/api/threads/{threadId}',
    options: {
        ...describeRoute('Delete a thread with all its messages', {
            tag: 'threads',
            answer: deletedThreadAnswer,
            example: { deletedThread: threadExample.id, deletedMessages: 2 },
            errors: ['THREAD_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: threadParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params: { threadId }, headers }) => ({
        deletedThread: threadId,
        deletedMessages: await threads.delete(auth.credentials.actor, threadId, revisionOf(headers)),
    }),
});
