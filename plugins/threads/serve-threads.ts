import { ChangeStore } from './change-store.ts';
import { ExportService } from './export-service.ts';
import { ForkService } from './fork-service.ts';
import { createThread } from './routes/create-thread.ts';
import { deleteThread } from './routes/delete-thread.ts';
import { exportThread } from './routes/export-thread.ts';
import { forkThread } from './routes/fork-thread.ts';
import { listThreads } from './routes/list-threads.ts';
import { renameThread } from './routes/rename-thread.ts';
import { SearchStore } from './search-store.ts';
import { createThreadService } from './thread-service.ts';

import type { Server } from '@hapi/hapi';
import type { ThreadStore } from './store.ts';
import type { Platform } from '../../src/platform.ts';

/** Threads by themselves: made, found, changed, copied. */
export function serveThreads(server: Server, { store, vault }: Platform, threadStore: ThreadStore): void {
    const changes = new ChangeStore(store, threadStore);
    const search = new SearchStore(store, vault, threadStore);
    const service = createThreadService({ store: threadStore, changes, search });
    server.route(createThread(service));
    server.route(listThreads(service));
    server.route(renameThread(service));
    server.route(deleteThread(service));
    server.route(forkThread(new ForkService({ store: threadStore, changes, models: server.plugins.models })));
    server.route(exportThread(new ExportService(threadStore)));
}
