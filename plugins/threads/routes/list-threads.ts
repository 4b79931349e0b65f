import { describeRoute } from '../../../src/http/describe-route.ts';
import { publicThread } from '../public-thread.ts';
import { threadExample, threadQuery, threadsAnswer, type ThreadQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ThreadService } from '../thread-service.ts';

export const listThreads = (threads: ThreadService): ServerRoute<{ Query: ThreadQuery }> => ({
    method: 'GET',
    path: '/api/threads',
    options: {
        ...describeRoute('List your threads', {
            tag: 'threads',
            answer: threadsAnswer,
            example: { threads: [threadExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 100, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { query: threadQuery },
    },
    handler: async ({ auth, query: { orderBy, order, limit, cursor } }) => {
        const page = { order: orderBy, direction: order, limit, cursor };
        const { items, pagination } = await threads.list(auth.credentials.actor, page);
        return { threads: items.map(publicThread), pagination };
    },
});
