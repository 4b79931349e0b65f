import { deleteSummary } from './routes/delete-summary.ts';
import { getSummary } from './routes/get-summary.ts';
import { getThread } from './routes/get-thread.ts';
import { summarize } from './routes/summarize.ts';
import { SummaryService } from './summary-service.ts';
import { SummaryStore } from './summary-store.ts';

import type { Server } from '@hapi/hapi';
import type { ThreadStore } from './store.ts';
import type { Platform } from '../../src/platform.ts';

/** Summaries of contexts, and threads with them. */
export function serveSummaries(server: Server, { store }: Platform, threadStore: ThreadStore): SummaryService {
    const { billing, models, profile, limits, usage } = server.plugins;
    const summaryStore = new SummaryStore(store, threadStore);
    const service = new SummaryService({ store: summaryStore, models, limits, profile, billing, usage });
    server.route(getThread(service));
    server.route(summarize(service));
    server.route(getSummary(service));
    server.route(deleteSummary(service));
    return service;
}
