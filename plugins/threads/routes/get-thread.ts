import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicThread } from '../public-thread.ts';
import { threadAnswer, threadExample, threadParams, type ThreadParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ThreadService } from '../thread-service.ts';

export const getThread = (threads: ThreadService): ServerRoute<{ Params: ThreadParams }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}',
    options: {
        ...describeRoute('Get a thread', {
            tag: 'threads',
            answer: threadAnswer,
            example: { thread: threadExample },
            errors: ['THREAD_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { params: threadParams },
    },
    handler: async ({ auth, params }, h) => {
        const thread = await threads.get(auth.credentials.actor, params.threadId);
        return h.response({ thread: publicThread(thread) }).etag(etagOf(thread));
    },
});
