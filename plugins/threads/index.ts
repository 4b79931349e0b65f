import { Generations } from './generations.ts';
import { MessageService } from './message-service.ts';
import { createThread } from './routes/create-thread.ts';
import { deleteThread } from './routes/delete-thread.ts';
import { getThread } from './routes/get-thread.ts';
import { listMessages } from './routes/list-messages.ts';
import { listThreads } from './routes/list-threads.ts';
import { renameThread } from './routes/rename-thread.ts';
import { sendMessage } from './routes/send-message.ts';
import { ThreadStore } from './store.ts';
import { createThreadService } from './thread-service.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const threads: Plugin<Platform> = {
    name: 'threads',
    dependencies: ['auth', 'idempotency', 'limits', 'models', 'profile', 'users'],
    register: (server, { store, vault, clock, logger, drain }) => {
        const { models, profile, limits, users } = server.plugins;
        const threadStore = new ThreadStore(store, vault, {
            profile: (owner) => profile.key(owner),
            providerKeys: (owner) => models.keys.key(owner),
        });
        users.onPurge((tenantId, userId) => threadStore.purge(tenantId, userId));
        const threadService = createThreadService(threadStore);
        const messageService = new MessageService({
            store: threadStore,
            models,
            profile,
            limits,
            generations: new Generations(drain),
            clock,
            logger,
        });
        server.route(createThread(threadService));
        server.route(listThreads(threadService));
        server.route(getThread(threadService));
        server.route(renameThread(threadService));
        server.route(deleteThread(threadService));
        server.route(listMessages(messageService));
        server.route(sendMessage(messageService, server.plugins.idempotency.share));
    },
};
