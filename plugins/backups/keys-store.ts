import { tenantKey } from '../../src/redis/keys.ts';

/** The keys of a tenant's backups, restores and schedules. */
export const backupKeys = (tenantId: string) => ({
    created: tenantKey(tenantId, 'backups'),
    done: tenantKey(tenantId, 'backups', 'done'),
    running: tenantKey(tenantId, 'backups', 'running'),
    restoring: tenantKey(tenantId, 'backups', 'restoring'),
    deleting: tenantKey(tenantId, 'backups', 'deleting'),
    expiring: tenantKey(tenantId, 'backups', 'expiring'),
    stats: tenantKey(tenantId, 'backups', 'stats'),
    restore: (id: string) => tenantKey(tenantId, 'backup-restore', id),
    schedules: tenantKey(tenantId, 'backup-schedules'),
    schedulesMade: tenantKey(tenantId, 'backup-schedules', 'made'),
    schedulesDue: tenantKey(tenantId, 'backup-schedules', 'due'),
    schedule: (id: string) => tenantKey(tenantId, 'backup-schedule', id),
    /** What the keys of schedules begin with. */
    schedulePrefix: `${tenantKey(tenantId, 'backup-schedule')}:`,
    notice: (digest: string) => tenantKey(tenantId, 'backup-notice', digest),
});
