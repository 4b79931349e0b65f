import { keepLease, LeaseLost, newLease, type KeptLease } from './lease.ts';
import { tell } from './outbox.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';

import type { Archives, Backup, Restore, RestoreState, TenantData } from './api.ts';
import type { BackupStore, Lease } from './backup-store.ts';
import type { BackupWork, Enqueueing } from './backup-work.ts';
import type { Notifier } from './notifier.ts';
import type { Advance, RestoreStore } from './restore-store.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { AggregateKind } from '../../src/redis/aggregate.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export const RESTORE_BACKUP = 'restore-backup';

/** What was there before is kept for that long at least. */
const SAFETY_DAYS = 7;

/** A tenant's data with the kinds of aggregates that it takes back. */
export interface RestoredData {
    data: Omit<TenantData, 'read'>;
    kinds: Pick<AggregateKind, 'kind' | 'component'>[];
}

export interface RestoreWorkParts {
    store: RestoreStore;
    backups: BackupStore;
    work: Pick<BackupWork, 'begin' | 'write'>;
    archives: Archives;
    /** What is put back: with plan and figures of the tenant, or without. */
    dataOf: (withPlan: boolean) => RestoredData;
    jobs: Jobs;
    notifier: Notifier;
    logger: Logger;
}

/** A restore that a process works on. */
interface Task {
    tenantId: string;
    restore: Restore;
    lease: Lease;
    kept: KeptLease;
}

/** The steps of restores. Each is noted when it is done; whoever takes over begins with the one that is not. */
export class RestoreWork {
    readonly #parts: RestoreWorkParts;

    constructor(parts: RestoreWorkParts) {
        this.#parts = parts;
    }

    /** Has a worker do it; if the queue is away, the next sweep does. */
    async enqueue(tenantId: string, restoreId: string, { attempt = '', requestId }: Enqueueing = {}): Promise<void> {
        const { jobs, logger } = this.#parts;
        const id = `restore-${tenantId}-${restoreId}${attempt}`;
        const data = { tenantId, restoreId, ...(requestId !== undefined && { requestId }) };
        await jobs.add(RESTORE_BACKUP, data, { id }).catch((error: unknown) => {
            logger.warn({ module: 'backups', tenantId, restoreId, err: error }, 'A restore could not be asked for');
        });
    }

    /**
     * Does a restore from the step that it is at. It does nothing when that has ended.
     *
     * @throws LeaseLost, or when Redis is away, or when a swap was broken off: then it can be called again
     */
    async run(tenantId: string, restoreId: string): Promise<void> {
        const { store } = this.#parts;
        const lease = newLease();
        const restore = await store.hold(tenantId, restoreId, lease);
        if (restore === null) return;
        if (restore === 'held') throw new LeaseLost();
        const kept = keepLease(() => store.hold(tenantId, restoreId, lease));
        const task = { tenantId, restore, lease, kept };
        try {
            await this.#walk(task);
        } catch (error) {
            if (error instanceof LeaseLost || isStoreUnavailable(error)) throw error;
            await this.#break(task, error);
        } finally {
            kept.stop();
        }
    }

    async #walk(task: Task): Promise<void> {
        if (task.restore.state === 'verifying') {
            await this.#verify(task);
            await this.#advance(task, 'safety_backup');
        }
        if (task.restore.state === 'safety_backup') {
            await this.#keepWhatIsThere(task);
            await this.#advance(task, 'staging');
        }
        if (task.restore.state === 'staging') {
            await this.#stage(task);
            await this.#advance(task, 'swapping');
        }
        await this.#swap(task);
    }

    /** Nothing has changed yet, and nothing does unless the archive is whole. */
    async #verify({ tenantId, restore: { backupId, components } }: Task): Promise<void> {
        const { archives, backups } = this.#parts;
        const { sha256 } = await backups.get(tenantId, backupId);
        const { header, ...found } = await archives.verify(tenantId, backupId);
        if (found.sha256 !== sha256) {
            throw apiError('BACKUP_DAMAGED', { details: { reason: 'it is another archive than was written' } });
        }
        const missing = components.filter((component) => !header.components.includes(component));
        if (missing.length > 0) throw apiError('BACKUP_COMPONENT_MISSING', { details: { missing } });
    }

    async #keepWhatIsThere({ tenantId, restore, kept }: Task): Promise<void> {
        const { work, backups } = this.#parts;
        const backup = await this.#safetyBackup(tenantId, restore);
        await work.write(tenantId, backup.id);
        kept.check();
        const { state, error } = await backups.get(tenantId, backup.id);
        if (state === 'failed') throw apiError('SAFETY_BACKUP_FAILED', { details: { error } });
    }

    /** The one that was begun before a crash, or a new one. */
    async #safetyBackup(tenantId: string, { id, components, safetyBackupId }: Restore): Promise<Backup> {
        const { work, backups } = this.#parts;
        if (safetyBackupId !== null) return backups.get(tenantId, safetyBackupId);
        const isFull = components.length > 1 && components.includes('database');
        const type = isFull ? 'full' : components.includes('database') ? 'database' : 'config';
        const order = { type, components, trigger: 'safety', createdBy: id, retentionDays: SAFETY_DAYS } as const;
        return work.begin(tenantId, { ...order, turn: { restoreId: id } }, null);
    }

    #stage({ tenantId, restore, kept }: Task): Promise<void> {
        const { dataOf, archives } = this.#parts;
        const { data, kinds } = dataOf(restore.withPlan);
        const wanted = kinds.filter(({ component }) => restore.components.includes(component));
        const names = new Set(wanted.map(({ kind }) => kind));
        async function* checked() {
            for await (const aggregate of archives.read(tenantId, restore.backupId)) {
                kept.check();
                if (names.has(aggregate.kind)) yield aggregate;
            }
        }
        return data.stage(tenantId, restore.id, checked());
    }

    async #swap(task: Task): Promise<void> {
        const { tenantId, restore } = task;
        const { id, backupId, components, safetyBackupId } = restore;
        const outbox = tell(null, {
            event: 'backup.restored',
            data: { restoreId: id, backupId, components, safetyBackupId },
            action: 'backup.restore',
            resource: 'backup_restore',
            id,
            details: { backupId, components },
        });
        await this.#parts.dataOf(restore.withPlan).data.swap(tenantId, id, components, outbox);
        await this.#advance(task, 'completed');
        await this.#parts.notifier.restored(tenantId, backupId);
    }

    /** Ends a restore that cannot go on and has changed nothing. A swap that was begun is not given up. */
    async #break(task: Task, error: unknown): Promise<void> {
        const { dataOf, notifier, logger } = this.#parts;
        const { tenantId, restore } = task;
        const { id, backupId, components } = restore;
        logger.error({ module: 'backups', tenantId, restoreId: id, err: error }, 'A restore was broken off');
        const isRefused = isApiError(error) && error.output.statusCode < 500;
        if (restore.state === 'swapping' && !isRefused) throw error;
        await dataOf(restore.withPlan).data.discard(tenantId, id);
        const code = isApiError(error) ? (error.data?.code ?? 'INTERNAL_ERROR') : 'INTERNAL_ERROR';
        const outbox = tell(null, {
            event: 'backup.restore_failed',
            data: { restoreId: id, backupId, components, error: code },
            action: 'backup.restore',
            resource: 'backup_restore',
            id,
            result: code,
            details: { backupId, components },
        });
        const errorDetails = isApiError(error) ? error.data?.details : undefined;
        await this.#advance(task, 'failed', { outbox, error: code, errorDetails });
        await notifier.restoreFailed(tenantId, backupId, code);
    }

    async #advance(task: Task, to: RestoreState, rest: Omit<Advance, 'holder' | 'from' | 'to'> = {}): Promise<void> {
        const { store } = this.#parts;
        const { tenantId, restore, lease, kept } = task;
        kept.check();
        const advance = { holder: lease.holder, from: restore.state, to, ...rest };
        if (!(await store.advance(tenantId, restore.id, advance))) throw new LeaseLost();
        task.restore = await store.records.get({ tenantId }, restore.id);
    }
}
