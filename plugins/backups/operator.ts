import type { OperatorBackups } from './api.ts';
import type { BackupStore } from './backup-store.ts';
import type { BackupWork } from './backup-work.ts';
import type { Restores } from './restore-service.ts';
import type { RestoreStore } from './restore-store.ts';
import type { RestoreWork } from './restore-work.ts';

export interface OperatorParts {
    backups: BackupStore;
    restores: RestoreStore;
    work: BackupWork;
    begin: Restores['begin'];
    restoreWork: Pick<RestoreWork, 'run'>;
}

/** Backups and restores by command: done in the process that asks, from the beginning to the end. */
export const operatorBackups = ({ backups, restores, work, begin, restoreWork }: OperatorParts): OperatorBackups => ({
    backup: async (tenantId, type) => {
        const { id } = await work.begin(tenantId, { type, trigger: 'manual', createdBy: 'operator' }, null);
        await work.write(tenantId, id);
        return backups.get(tenantId, id);
    },
    restore: async (tenantId, order) => {
        const { id } = await begin(tenantId, order, null);
        await restoreWork.run(tenantId, id);
        return restores.records.get({ tenantId }, id);
    },
});
