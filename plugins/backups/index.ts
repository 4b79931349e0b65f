import { openArchives } from './archive/index.ts';
import { backupMeter } from './backup-meter.ts';
import { Backups } from './backup-service.ts';
import { BackupStore } from './backup-store.ts';
import { BackupWork } from './backup-work.ts';
import { openTenantData } from './data/index.ts';
import { DueStore } from './due-store.ts';
import { Notices } from './notices.ts';
import { Notifier } from './notifier.ts';
import { operatorBackups } from './operator.ts';
import { Restores } from './restore-service.ts';
import { RestoreStore } from './restore-store.ts';
import { RestoreWork, type RestoredData } from './restore-work.ts';
import { compareBackups } from './routes/compare-backups.ts';
import { createBackup } from './routes/create-backup.ts';
import { createSchedule } from './routes/create-schedule.ts';
import { deleteBackup } from './routes/delete-backup.ts';
import { deleteSchedule, deleteScheduleByQuery } from './routes/delete-schedule.ts';
import { downloadBackup } from './routes/download-backup.ts';
import { getBackup } from './routes/get-backup.ts';
import { getRestore } from './routes/get-restore.ts';
import { getStats } from './routes/get-stats.ts';
import { listBackups } from './routes/list-backups.ts';
import { listSchedules } from './routes/list-schedules.ts';
import { restoreBackup } from './routes/restore-backup.ts';
import { streamRestore } from './routes/stream-restore.ts';
import { takeNotice } from './routes/take-notice.ts';
import { updateSchedule, updateScheduleByQuery } from './routes/update-schedule.ts';
import { verifyBackup } from './routes/verify-backup.ts';
import { scheduleAggregates } from './schedule-aggregates.ts';
import { defaultSchedules, Schedules } from './schedule-service.ts';
import { ScheduleStore } from './schedule-store.ts';
import { StatsStore } from './stats-store.ts';
import { openStorage } from './storage/index.ts';
import { Sweeper, SWEEP_EVERY_MS } from './sweeper.ts';
import { createMailer } from '../../src/mail/mailer.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';

import type { Plugin, Server } from '@hapi/hapi';
import type { BackupFeature, TenantData } from './api.ts';
import type { Platform } from '../../src/platform.ts';
import type { AggregateKind } from '../../src/redis/aggregate.ts';

export const backups: Plugin<Platform> = {
    name: 'backups',
    dependencies: [
        'auth',
        'billing',
        'idempotency',
        'keys',
        'projects',
        'proxies',
        'tenants',
        'threads',
        'tunnels',
        'users',
        'webhooks',
    ],
    register: async (server, platform) => {
        const { config, clock, jobs, logger } = platform;
        const parts = await open(server, platform);
        const { store, restoreStore, schedules, due, work, restoreWork, tenants, archives } = parts;
        const stats = new StatsStore(platform.store, (tenantId) => server.plugins.tenants.key(tenantId));

        const restores = new Restores({ store: restoreStore, backups: store, work: restoreWork, tenants });
        serveBackups(server, new Backups({ store, stats, work, archives, jobs, clock, logger }));
        serveRestores(server, restores);
        serveSchedules(server, new Schedules({ store: schedules, tenants, clock }));
        server.route(takeNotice(new Notices(config.BACKUP_WEBHOOK_SECRET, stats, clock)));

        const sweeper = new Sweeper({
            due,
            tenants,
            standing: server.plugins.tenants,
            backups: store,
            restores: restoreStore,
            schedules,
            work,
            restoreWork,
            logger,
        });
        const operator = operatorBackups({
            backups: store,
            restores: restoreStore,
            work,
            begin: (...order) => restores.begin(...order),
            restoreWork,
        });
        const feature: BackupFeature = {
            write: (tenantId, backupId) => work.write(tenantId, backupId),
            verify: (tenantId, backupId) => work.verify(tenantId, backupId),
            restore: (tenantId, restoreId) => restoreWork.run(tenantId, restoreId),
            sweep: () => sweeper.round(),
            operator,
        };
        server.expose(feature);
        server.plugins.tenants.onPurge(async (tenantId) => {
            for await (const ids of due.all(tenantId)) {
                for (const id of ids) await archives.delete(tenantId, id);
            }
        });
    },
};

/** What stands behind the routes. */
async function open(server: Server, platform: Platform) {
    const { config, clock, vault, jobs, logger, metrics } = platform;
    const { users } = server.plugins;
    const store = new BackupStore(platform.store, vault);
    const restoreStore = new RestoreStore(platform.store, vault);
    const tenants = new DueTenants(platform.store, 'backup-tenants', SWEEP_EVERY_MS);
    const archives = openArchives({ storage: openStorage(config), vault });
    const schedules = new ScheduleStore(platform.store, vault, defaultSchedules);
    const schedule = scheduleAggregates({ datastore: platform.store, store: schedules, tenants, clock });
    const { data, dataOf } = tenantsData(server, platform, schedule);
    const notifier = new Notifier(await createMailer(config), users, logger);
    const version = config.VERSION;
    const onEnd = backupMeter(metrics);
    const work = new BackupWork({ store, archives, data, tenants, jobs, notifier, clock, logger, version, onEnd });
    const restoreWork = new RestoreWork({
        store: restoreStore,
        backups: store,
        work,
        archives,
        dataOf,
        jobs,
        notifier,
        logger,
    });
    const due = new DueStore(platform.store);
    return { store, restoreStore, schedules, due, work, restoreWork, tenants, archives };
}

/** All that is backed up; it comes back whole, or without what is the operator's to say: plan and figures. */
function tenantsData({ plugins }: Server, { store, restoreGraceMs }: Platform, schedule: AggregateKind) {
    const { users, keys, threads, tunnels, proxies, tenants, billing, webhooks, projects } = plugins;
    const features = [users, keys, threads, tunnels, proxies, tenants, billing, webhooks];
    const kinds = features.flatMap(({ aggregates }) => aggregates);
    const isOwn = ({ component }: AggregateKind) => component !== 'deployment';
    const bound = (tenantId: string, userIds: string[]) => projects.ownersAmong(tenantId, userIds);
    const open = (taken: AggregateKind[]): RestoredData & { data: TenantData } => {
        const grace = restoreGraceMs === undefined ? {} : { graceMs: restoreGraceMs };
        return { kinds: taken, data: openTenantData({ store, kinds: taken, bound, ...grace }) };
    };
    const whole = open([...kinds, schedule]);
    const own = open([...kinds.filter(isOwn), schedule]);
    return { data: whole.data, dataOf: (withPlan: boolean) => (withPlan ? whole : own) };
}

function serveBackups(server: Server, service: Backups): void {
    server.route(listBackups(service));
    server.route(createBackup(service));
    server.route(getStats(service));
    server.route(getBackup(service));
    server.route(verifyBackup(service));
    server.route(deleteBackup(service));
    server.route(downloadBackup(service));
    server.route(compareBackups(service));
}

function serveRestores(server: Server, service: Restores): void {
    server.route(restoreBackup(service));
    server.route(getRestore(service));
    server.route(streamRestore(service));
}

function serveSchedules(server: Server, service: Schedules): void {
    server.route(listSchedules(service));
    server.route(createSchedule(service));
    server.route(updateSchedule(service));
    server.route(updateScheduleByQuery(service));
    server.route(deleteSchedule(service));
    server.route(deleteScheduleByQuery(service));
}
