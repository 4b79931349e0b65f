import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { publicThread } from '../public-thread.ts';
import {
    renameThreadPayload,
    threadAnswer,
    threadExample,
    threadParams,
    type RenameThread,
    type ThreadParams,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ThreadService } from '../thread-service.ts';

export const renameThread = (threads: ThreadService): ServerRoute<{ Params: ThreadParams; Payload: RenameThread }> => ({
    method: 'PATCH',
    path: '/api/threads/{threadId}/title',
    options: {
        ...describeRoute('Rename a thread', {
            tag: 'threads',
            answer: threadAnswer,
            example: { thread: threadExample },
            errors: ['THREAD_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: threadParams, payload: renameThreadPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const thread = await threads.rename(actor, params.threadId, payload.title, revisionOf(headers));
        return h.response({ thread: publicThread(thread) }).etag(etagOf(thread));
    },
});
