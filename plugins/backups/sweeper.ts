import { tell } from './outbox.ts';
import { nextRunOf } from './schedule-service.ts';
import { isApiError } from '../../src/http/errors.ts';

import type { BackupStore } from './backup-store.ts';
import type { BackupWork } from './backup-work.ts';
import type { DueStore } from './due-store.ts';
import type { RestoreStore } from './restore-store.ts';
import type { RestoreWork } from './restore-work.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { TenantService } from '../tenants/api.ts';

export const SWEEP_BACKUPS = 'sweep-backups';
export const SWEEP_EVERY_MS = 15_000;

/** Work that nobody has held for so long was left lying: its job is lost, or its worker was. */
const LEFT_LYING_MS = 60_000;

export interface SweeperParts {
    due: DueStore;
    tenants: DueTenants;
    standing: Pick<TenantService, 'get'>;
    backups: BackupStore;
    restores: RestoreStore;
    schedules: ScheduleStore;
    work: BackupWork;
    restoreWork: Pick<RestoreWork, 'enqueue'>;
    logger: Logger;
}

/** Begins backups that are due, takes up work that was left lying, and removes what is too old. */
export class Sweeper {
    readonly #parts: SweeperParts;

    constructor(parts: SweeperParts) {
        this.#parts = parts;
    }

    /** Looks at all tenants that are due, each looked at by one process. What fails is seen to in the next round. */
    async round(): Promise<void> {
        const { tenants, logger } = this.#parts;
        for await (const found of tenants.batches()) {
            for (const tenantId of found) {
                await this.lookAt(tenantId).catch((error: unknown) => {
                    logger.warn({ module: 'backups', tenantId, err: error }, 'Backups could not be looked after');
                });
            }
        }
    }

    /** Does what is due in a tenant. It may be called by several processes at once. */
    async lookAt(tenantId: string): Promise<void> {
        const { due, tenants, work } = this.#parts;
        const found = await due.look(tenantId);
        const { at: now } = found;
        for (const id of found.schedules) await this.#fire(tenantId, id, now);
        await this.#takeUp(tenantId, found, now);
        for (const id of found.expired) await this.#expire(tenantId, id);
        for (const id of found.deleting) await work.remove(tenantId, id);
        if (found.isIdle) await tenants.forget(tenantId);
    }

    /** Once, however many of its times have passed meanwhile. While another backup or a restore runs it waits. */
    async #fire(tenantId: string, scheduleId: string, now: number): Promise<void> {
        const { schedules, work, standing } = this.#parts;
        const schedule = await schedules.records.find({ tenantId }, scheduleId);
        if (!schedule || schedule.nextRunAt === null) return;
        if ((await standing.get(tenantId)).status === 'deleted') return;
        const next = nextRunOf(schedule, now);
        if (next === null) return;
        const { type, retentionDays, nextRunAt } = schedule;
        const turn = { schedule: { id: scheduleId, expected: Date.parse(nextRunAt), next: Date.parse(next) } };
        const order = { type, trigger: 'schedule', createdBy: 'schedule', scheduleId, retentionDays, turn } as const;
        try {
            const backup = await work.beginInTurn(tenantId, order, null);
            if (backup) await work.enqueue(tenantId, backup.id);
        } catch (error) {
            if (!isApiError(error, 'BACKUP_IN_PROGRESS') && !isApiError(error, 'RESTORE_IN_PROGRESS')) throw error;
        }
    }

    async #takeUp(tenantId: string, found: { running: string | null; restoring: string | null }, now: number) {
        const { backups, restores, work, restoreWork } = this.#parts;
        const attempt = `-${Math.floor(now / LEFT_LYING_MS)}`;
        const { running, restoring } = found;
        if (running !== null && (await this.#isLeft(backups.records, tenantId, running, now))) {
            await work.enqueue(tenantId, running, { attempt });
        }
        if (restoring !== null && (await this.#isLeft(restores.records, tenantId, restoring, now))) {
            await restoreWork.enqueue(tenantId, restoring, { attempt });
        }
    }

    async #isLeft(
        records: BackupStore['records'] | RestoreStore['records'],
        tenantId: string,
        id: string,
        now: number,
    ): Promise<boolean> {
        const record = await records.find({ tenantId }, id);
        if (!record) return false;
        const heldUntil = await this.#parts.due.heldUntil(records.key(tenantId, id));
        return Math.max(heldUntil, Date.parse(record.createdAt)) < now - LEFT_LYING_MS;
    }

    async #expire(tenantId: string, id: string): Promise<void> {
        const { backups, work } = this.#parts;
        const outbox = tell(null, {
            event: 'backup.deleted',
            data: { backupId: id, reason: 'expired' },
            action: 'backup.expire',
            resource: 'backup',
            id,
        });
        try {
            await backups.delete(tenantId, await backups.get(tenantId, id), outbox);
        } catch (error) {
            // It goes when it is not needed any more, or another process has been faster.
            if (isApiError(error)) return;
            throw error;
        }
        await work.remove(tenantId, id);
    }
}
