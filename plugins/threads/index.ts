import { createBackupStore } from './backup-store.ts';
import { threadAggregates } from './backup.ts';
import { serveAnswers } from './serve-answers.ts';
import { serveSummaries } from './serve-summaries.ts';
import { serveThreads } from './serve-threads.ts';
import { ThreadStore } from './store.ts';
import { summarizeInTurn } from './summary-jobs.ts';

import type { Plugin } from '@hapi/hapi';
import type { ThreadFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const threads: Plugin<Platform> = {
    name: 'threads',
    dependencies: ['auth', 'billing', 'idempotency', 'limits', 'models', 'profile', 'tenants', 'usage', 'users'],
    register: (server, platform) => {
        const { store, vault, logger } = platform;
        const { models, profile, tenants, users } = server.plugins;
        const threadStore = new ThreadStore(store, vault, {
            profile: (owner) => profile.key(owner),
            providerKeys: (owner) => models.keys.key(owner),
            tenant: (tenantId) => tenants.key(tenantId),
        });
        users.onPurge((tenantId, userId) => threadStore.purge(tenantId, userId));
        serveThreads(server, platform, threadStore);
        const summaries = serveSummaries(server, platform, threadStore);
        serveAnswers(server, platform, threadStore);
        const feature: ThreadFeature = {
            summarizeInTurn: (data) => summarizeInTurn({ summaries, tenants, users, logger }, data),
            aggregates: [
                threadAggregates(threadStore, createBackupStore(store, threadStore), (tenantId) => users.ids(tenantId)),
            ],
        };
        server.expose(feature);
    },
};
