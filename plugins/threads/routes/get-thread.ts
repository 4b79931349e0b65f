import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { threadDetails } from '../public-thread.ts';
import { threadParams, type ThreadParams } from '../schemas.ts';
import { threadDetailsAnswer, threadDetailsExample } from '../summary-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SummaryService } from '../summary-service.ts';

export const getThread = (summaries: SummaryService): ServerRoute<{ Params: ThreadParams }> => ({
    method: 'GET',
    path: '/api/threads/{threadId}',
    options: {
        ...describeRoute('Get a thread', {
            tag: 'threads',
            answer: threadDetailsAnswer,
            example: threadDetailsExample,
            errors: ['THREAD_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'thread:read' } },
        validate: { params: threadParams },
    },
    handler: async ({ auth, params }, h) => {
        const { thread, summaries: of } = await summaries.thread(auth.credentials.actor, params.threadId);
        return h.response({ thread: threadDetails(thread, of) }).etag(etagOf(thread));
    },
});
