import { DashboardService } from './dashboard-service.ts';
import { FigureStore } from './figure-store.ts';
import { ReportService } from './report-service.ts';
import { RollUp } from './roll-up.ts';
import { getBackupReport } from './routes/get-backup-report.ts';
import { getDashboard } from './routes/get-dashboard.ts';
import { getErrorReport } from './routes/get-error-report.ts';
import { getRevenueReport } from './routes/get-revenue-report.ts';
import { getUsageReport } from './routes/get-usage-report.ts';
import { TenantStore } from './tenant-store.ts';
import { watchTraffic } from './watch-traffic.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';

import type { Plugin } from '@hapi/hapi';
import type { ReportFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

/** Tenants that had requests are read each 15 s; a look may begin a little before. */
const LOOK_EVERY_MS = 12_000;
const FLUSH_EVERY_MS = 5_000;

export const reports: Plugin<Platform> = {
    name: 'reports',
    // What other features do when a tenant is purged may still be charged: the last look comes after them.
    dependencies: ['auth', 'tenants', 'vms'],
    register: (server, platform) => {
        const { store, clock, logger, countEveryMs = FLUSH_EVERY_MS } = platform;
        const { tenants } = server.plugins;
        const figures = new FigureStore(store);
        const due = new DueTenants(store, 'report-tenants', LOOK_EVERY_MS);
        const rollUp = new RollUp({
            tenants: new TenantStore(store, (tenantId) => tenants.key(tenantId)),
            figures,
            due,
            clock,
            logger,
            noteEveryMs: FLUSH_EVERY_MS,
        });
        tenants.onFound((tenantId) => due.note(tenantId));
        tenants.onPurge((tenantId) => rollUp.end(tenantId));

        const append = appendOutbox(store);
        const service = new ReportService({ store: figures, clock, append });
        const feature: ReportFeature = {
            rollUp: () => rollUp.due(),
            sweep: () => rollUp.sweep(),
            flush: watchTraffic(server, platform, due, countEveryMs),
            violations: (days) => service.violations(days),
        };
        server.expose(feature);
        server.route(getDashboard(new DashboardService(figures, clock, append)));
        server.route(getRevenueReport(service));
        server.route(getUsageReport(service));
        server.route(getBackupReport(service));
        server.route(getErrorReport(service));
    },
};
