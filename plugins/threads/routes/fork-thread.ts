import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicThread } from '../public-thread.ts';
import {
    forkThreadPayload,
    threadAnswer,
    threadExample,
    threadParams,
    type ForkThread,
    type ThreadParams,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ForkService } from '../fork-service.ts';

const NOTES = `A new thread with the messages that are stored, up to and including \`fromMessageId\`; with \`modelId\` of
that model's context only. In other contexts the messages go along that were stored until then. Messages keep their ids.
Of more than 10,000 messages, and up to a message, the newest 2,000 of a context are copied, and 3,000 of all.`;

export const forkThread = (forks: ForkService): ServerRoute<{ Params: ThreadParams; Payload: ForkThread }> => ({
    method: 'POST',
    path: '/api/threads/{threadId}/fork',
    options: {
        ...describeRoute('Fork a thread', {
            tag: 'threads',
            notes: NOTES,
            answer: threadAnswer,
            example: { thread: { ...threadExample, title: 'Trip to Lisbon (fork)', revision: 1 } },
            status: 201,
            errors: ['THREAD_NOT_FOUND', 'MODEL_NOT_FOUND', 'MESSAGE_NOT_FOUND'],
            grows: true,
            rateLimit: { limit: 10, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { params: threadParams, payload: forkThreadPayload },
    },
    handler: async ({ auth, params, payload }, h) => {
        const thread = await forks.fork(auth.credentials.actor, params.threadId, payload);
        return h.response({ thread: publicThread(thread) }).etag(etagOf(thread));
    },
});
