import { VERIFY_BACKUP } from './backup-service.ts';
import { CREATE_BACKUP } from './backup-work.ts';
import { RESTORE_BACKUP } from './restore-work.ts';
import { SWEEP_BACKUPS, SWEEP_EVERY_MS } from './sweeper.ts';

import type { BackupFeature } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const backupJobs = (backups: BackupFeature): Processors => ({
    [CREATE_BACKUP]: ({ tenantId, backupId = '' }) => backups.write(tenantId, backupId),
    [VERIFY_BACKUP]: ({ tenantId, backupId = '' }) => backups.verify(tenantId, backupId),
    [RESTORE_BACKUP]: ({ tenantId, restoreId = '' }) => backups.restore(tenantId, restoreId),
    [SWEEP_BACKUPS]: () => backups.sweep(),
});

/** What one of them does again and again. */
export const backupSchedule = { [SWEEP_BACKUPS]: SWEEP_EVERY_MS };
