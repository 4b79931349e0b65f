import { describeRoute } from '../../../src/http/describe-route.ts';
import { publicThread } from '../public-thread.ts';
import { threadExample, threadQuery, threadsAnswer, type ThreadQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ThreadService } from '../thread-service.ts';

const NOTES = `With \`q\` those that have all its words in their title and summaries, or words that begin so; in the same
order, and without \`totalCount\`. A page looks at 2,000 threads at most: with very common words it may be short, or
empty, though \`hasMore\` is true.`;

export const listThreads = (threads: ThreadService): ServerRoute<{ Query: ThreadQuery }> => ({
    method: 'GET',
    path: '/api/threads',
    options: {
        ...describeRoute('List your threads', {
            tag: 'threads',
            notes: NOTES,
            answer: threadsAnswer,
            example: { threads: [threadExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 100, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { query: threadQuery },
    },
    handler: async ({ auth, query: { orderBy, order, limit, cursor, q } }) => {
        const page = { order: orderBy, direction: order, limit, cursor, q };
        const { items, pagination } = await threads.list(auth.credentials.actor, page);
        return { threads: items.map(publicThread), pagination };
    },
});
