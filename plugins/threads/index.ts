import { AnswerService } from './answer-service.ts';
import { AnswerStore } from './answer-store.ts';
import { ChangeStore } from './change-store.ts';
import { closeOrphans } from './close-orphans.ts';
import { ExportService } from './export-service.ts';
import { ForkService } from './fork-service.ts';
import { Generations } from './generations.ts';
import { answerOutbox } from './message-outbox.ts';
import { MessageService } from './message-service.ts';
import { cancelMessage } from './routes/cancel-message.ts';
import { createThread } from './routes/create-thread.ts';
import { deleteSummary } from './routes/delete-summary.ts';
import { deleteThread } from './routes/delete-thread.ts';
import { exportThread } from './routes/export-thread.ts';
import { forkThread } from './routes/fork-thread.ts';
import { getMessage } from './routes/get-message.ts';
import { getSummary } from './routes/get-summary.ts';
import { getThread } from './routes/get-thread.ts';
import { listMessages } from './routes/list-messages.ts';
import { listThreads } from './routes/list-threads.ts';
import { regenerateMessage } from './routes/regenerate-message.ts';
import { renameThread } from './routes/rename-thread.ts';
import { sendMessage } from './routes/send-message.ts';
import { streamMessage } from './routes/stream-message.ts';
import { summarize } from './routes/summarize.ts';
import { SearchStore } from './search-store.ts';
import { ThreadStore } from './store.ts';
import { createSummaryTrigger, summarizeInTurn } from './summary-jobs.ts';
import { SummaryService } from './summary-service.ts';
import { SummaryStore } from './summary-store.ts';
import { createThreadService } from './thread-service.ts';
import { Background } from '../../src/background.ts';

import type { Plugin } from '@hapi/hapi';
import type { ThreadFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const threads: Plugin<Platform> = {
    name: 'threads',
    dependencies: ['auth', 'billing', 'idempotency', 'limits', 'models', 'profile', 'tenants', 'usage', 'users'],
    register: (server, platform) => {
        const { store, vault, signals, clock, logger, drain, jobs } = platform;
        const { billing, models, profile, limits, tenants, usage, users } = server.plugins;
        const threadStore = new ThreadStore(store, vault, {
            profile: (owner) => profile.key(owner),
            providerKeys: (owner) => models.keys.key(owner),
            tenant: (tenantId) => tenants.key(tenantId),
        });
        users.onPurge((tenantId, userId) => threadStore.purge(tenantId, userId));
        const changes = new ChangeStore(store, threadStore);
        const search = new SearchStore(store, vault, threadStore);
        const threadService = createThreadService({ store: threadStore, changes, search });
        server.route(createThread(threadService));
        server.route(listThreads(threadService));
        server.route(renameThread(threadService));
        server.route(deleteThread(threadService));
        server.route(forkThread(new ForkService({ store: threadStore, changes, models })));
        server.route(exportThread(new ExportService(threadStore)));

        const summaryStore = new SummaryStore(store, threadStore);
        const summaries = new SummaryService({ store: summaryStore, models, limits, profile, billing, usage });
        const feature: ThreadFeature = {
            summarizeInTurn: (data) => summarizeInTurn({ summaries, tenants, users, logger }, data),
        };
        server.expose(feature);
        server.route(getThread(summaries));
        server.route(summarize(summaries));
        server.route(getSummary(summaries));
        server.route(deleteSummary(summaries));

        const answerStore = new AnswerStore(store, threadStore, usage, billing);
        const generations = new Generations({ store: answerStore, signals, drain, logger });
        const shared = { store: answerStore, generations, models, clock, logger };
        const onStored = createSummaryTrigger({ jobs, background: new Background(drain, logger), profile });
        const messages = new MessageService({
            ...shared,
            store: threadStore,
            answers: answerStore,
            profile,
            limits,
            billing,
            onStored,
        });
        const answers = new AnswerService({ ...shared, threads: threadStore, signals });
        const parts = { messages, answers, share: server.plugins.idempotency.share };
        server.route(listMessages(messages));
        server.route(sendMessage(parts));
        server.route(getMessage(answers));
        server.route(streamMessage(answers));
        server.route(cancelMessage(answers));
        server.route(regenerateMessage(parts));

        const stopClosing = closeOrphans({ store: answerStore, generations, outboxOf: answerOutbox, logger });
        server.ext('onPostStop', stopClosing);
    },
};
