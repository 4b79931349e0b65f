import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicThread } from '../public-thread.ts';
import { createThreadPayload, threadAnswer, threadExample, type CreateThread } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ThreadService } from '../thread-service.ts';

const example = {
    thread: { ...threadExample, messageCount: 0, activeModels: [], models: {}, lastMessage: null, revision: 1 },
};

export const createThread = (threads: ThreadService): ServerRoute<{ Payload: CreateThread }> => ({
    method: 'POST',
    path: '/api/threads',
    options: {
        ...describeRoute('Create a thread', {
            tag: 'threads',
            answer: threadAnswer,
            example,
            status: 201,
            grows: true,
            rateLimit: { limit: 10, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'thread:write' } },
        validate: { payload: createThreadPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const thread = await threads.create(auth.credentials.actor, payload.title ?? null);
        return h.response({ thread: publicThread(thread) }).etag(etagOf(thread));
    },
});
