import { SCHEMA_VERSION } from './archive/index.ts';
import { backupIdOf } from './backup-id.ts';
import { COMPONENTS } from './components.ts';
import { keepLease, LeaseLost, newLease, type KeptLease } from './lease.ts';
import { tell, type Doer } from './outbox.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { Archives, ArchiveSummary, Backup, BackupType, TenantData, Verification } from './api.ts';
import type { BackupStore, Begun, Lease, Turn } from './backup-store.ts';
import type { Notifier } from './notifier.ts';
import type { Clock } from '../../src/clock.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { Aggregate, Component } from '../../src/redis/aggregate.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export const CREATE_BACKUP = 'create-backup';

const DAY_MS = 24 * 3600 * 1000;
const USUAL_RETENTION_DAYS = 30;
/** Two backups of a tenant are seldom begun in one second. */
const MOST_OF_A_SECOND = 99;

export interface BackupWorkParts {
    store: BackupStore;
    archives: Archives;
    data: Pick<TenantData, 'read'>;
    tenants: DueTenants;
    jobs: Jobs;
    notifier: Notifier;
    clock: Clock;
    logger: Logger;
    version: string;
    /** Told of each backup that has ended, and of the bytes of one that was made. */
    onEnd?: (outcome: 'completed' | 'failed', bytes: number) => void;
}

/** How a worker is asked for: of several tries each has an `attempt` of its own. */
export interface Enqueueing {
    attempt?: string;
    /** Of the request that asks for it. */
    requestId?: string;
}

/** What a backup is to be. */
export interface BackupOrder {
    type: BackupType;
    components?: Component[];
    description?: string | null;
    trigger: Backup['trigger'];
    createdBy: string;
    scheduleId?: string;
    retentionDays?: number;
    turn?: Turn;
}

/** Backups from their beginning to their end. */
export class BackupWork {
    readonly #parts: BackupWorkParts;

    constructor(parts: BackupWorkParts) {
        this.#parts = parts;
    }

    /** Notes a backup that is to be made; null: the schedule has been moved on by somebody else. @throws as `begin` */
    async beginInTurn(tenantId: string, order: BackupOrder, doer: Doer): Promise<Backup | null> {
        const { store, tenants, clock } = this.#parts;
        const { type, components = COMPONENTS[type], description = null, trigger, createdBy, turn = {} } = order;
        const now = clock();
        const expiresAt = isoTime(now + (order.retentionDays ?? USUAL_RETENTION_DAYS) * DAY_MS);
        const scheduleId = order.scheduleId ?? null;
        // Before there is something to look after.
        await tenants.note(tenantId);
        for (let number = 1; number <= MOST_OF_A_SECOND; number++) {
            const id = backupIdOf(now, number);
            const backup = { id, type, components, description, trigger, scheduleId, createdBy, expiresAt };
            const data = { backupId: id, type, trigger, ...(scheduleId !== null && { scheduleId }) };
            const told = { event: 'backup.started', data, action: 'backup.create', resource: 'backup', id } as const;
            const begun = await store.begin(
                tenantId,
                backup,
                turn,
                tell(doer, { ...told, details: { type, trigger } }),
            );
            if (begun === 'moved') return null;
            if (begun !== 'taken') return store.get(tenantId, begunOrRefused(begun, id));
        }
        throw apiError('BACKUP_IN_PROGRESS');
    }

    /** @throws BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS */
    async begin(tenantId: string, order: BackupOrder, doer: Doer): Promise<Backup> {
        const backup = await this.beginInTurn(tenantId, order, doer);
        if (!backup) throw new Error('A backup without a schedule has been moved on');
        return backup;
    }

    /** Has a worker write it; if the queue is away, the next sweep does. */
    async enqueue(tenantId: string, backupId: string, { attempt = '', requestId }: Enqueueing = {}): Promise<void> {
        const { jobs, logger } = this.#parts;
        const id = `backup-${tenantId}-${backupId}${attempt}`;
        const data = { tenantId, backupId, ...(requestId !== undefined && { requestId }) };
        await jobs.add(CREATE_BACKUP, data, { id }).catch((error: unknown) => {
            logger.warn({ module: 'backups', tenantId, backupId, err: error }, 'A backup could not be asked for');
        });
    }

    /**
     * Writes the archive of a backup that is being made, from its beginning, and ends it well or badly. It does nothing
     * when the backup has ended.
     *
     * @throws LeaseLost, or when Redis is away: then it can be called again
     */
    async write(tenantId: string, backupId: string): Promise<void> {
        const { store } = this.#parts;
        const lease = newLease();
        const backup = await store.hold(tenantId, backupId, lease);
        if (backup === null) return;
        if (backup === 'held') throw new LeaseLost();
        let processed = 0;
        const kept = keepLease(() => store.hold(tenantId, backupId, lease, processed));
        try {
            const summary = await this.#archive(tenantId, backup, kept, (count) => (processed = count));
            // Who was silent for too long must not end what another has taken over.
            kept.check();
            await this.#complete(tenantId, backup, lease, summary, processed);
        } catch (error) {
            if (error instanceof LeaseLost || isStoreUnavailable(error)) throw error;
            await this.#fail(tenantId, backup, lease, error);
        } finally {
            kept.stop();
        }
    }

    /**
     * Looks at a whole archive, and notes how that ended. It does nothing when the backup is gone.
     *
     * @throws BACKUP_STORAGE_UNAVAILABLE, or when Redis is away: then it can be called again
     */
    async verify(tenantId: string, backupId: string): Promise<void> {
        const { store, archives, notifier } = this.#parts;
        const backup = await store.records.find({ tenantId }, backupId);
        if (backup?.state !== 'completed' && backup?.state !== 'verified') return;
        const verification = await this.#look(() => archives.verify(tenantId, backupId), backup.sha256);
        const isWhole = verification.result === 'passed';
        const outbox = tell(null, {
            event: isWhole ? 'backup.verified' : 'backup.failed',
            data: { backupId, ...(!isWhole && { error: verification.error, verification: true }) },
            action: 'backup.verify',
            resource: 'backup',
            id: backupId,
            result: verification.error ?? 'success',
        });
        const set = { state: isWhole ? 'verified' : 'completed', verification } as const;
        await store.change(tenantId, backupId, ['completed', 'verified'], set, outbox);
        if (!isWhole) await notifier.failed(tenantId, backupId, `It is not whole: ${verification.error}.`);
    }

    /** Removes the archive of a backup that was deleted, and then what is left of it. */
    async remove(tenantId: string, backupId: string): Promise<void> {
        const { store, archives } = this.#parts;
        await archives.delete(tenantId, backupId);
        await store.forget(tenantId, backupId);
    }

    async #look(verify: () => Promise<ArchiveSummary>, sha256: string | null): Promise<Verification> {
        const at = isoTime(this.#parts.clock());
        try {
            const found = await verify();
            if (found.sha256 === sha256) return { result: 'passed', error: null, at };
            return { result: 'failed', error: 'BACKUP_DAMAGED', at };
        } catch (error) {
            // A storage that is away says nothing of the archive: it is looked at again.
            if (!isApiError(error) || error.output.statusCode >= 500) throw error;
            return { result: 'failed', error: error.data?.code ?? 'INTERNAL_ERROR', at };
        }
    }

    #archive(tenantId: string, backup: Backup, kept: KeptLease, count: (processed: number) => void) {
        const { archives, data, version } = this.#parts;
        const { id: backupId, type, components, createdAt } = backup;
        const header = {
            schemaVersion: SCHEMA_VERSION,
            backupId,
            tenantId,
            type,
            components,
            createdAt,
            appVersion: version,
        };
        async function* counted(): AsyncGenerator<Aggregate> {
            let processed = 0;
            for await (const aggregate of data.read(tenantId, components)) {
                kept.check();
                count(++processed);
                yield aggregate;
            }
            // What another has written meanwhile must not be replaced.
            kept.check();
        }
        return archives.write(header, counted());
    }

    async #complete(tenantId: string, backup: Backup, lease: Lease, summary: ArchiveSummary, processed: number) {
        const { id, type, trigger } = backup;
        const { bytes, counts } = summary;
        const outbox = tell(null, {
            event: 'backup.completed',
            data: { backupId: id, type, trigger, bytes, counts },
            action: 'backup.complete',
            resource: 'backup',
            id,
        });
        const ending = { holder: lease.holder, summary, error: null, processed, outbox };
        const { store, archives, onEnd } = this.#parts;
        if (await store.finish(tenantId, id, ending)) return onEnd?.('completed', bytes);
        // It went with its tenant while it was written: nothing of that may be left.
        if ((await store.records.find({ tenantId }, id)) === null) await archives.delete(tenantId, id);
        throw new LeaseLost();
    }

    async #fail(tenantId: string, { id, type, trigger }: Backup, { holder }: Lease, error: unknown): Promise<void> {
        const { store, notifier, logger, onEnd } = this.#parts;
        const code = isApiError(error) ? (error.data?.code ?? 'INTERNAL_ERROR') : 'INTERNAL_ERROR';
        logger.error({ module: 'backups', tenantId, backupId: id, err: error }, 'A backup failed');
        const outbox = tell(null, {
            event: 'backup.failed',
            data: { backupId: id, type, trigger, error: code },
            action: 'backup.complete',
            resource: 'backup',
            id,
            result: code,
        });
        const ending = { holder, summary: null, error: code, processed: 0, outbox };
        if (!(await store.finish(tenantId, id, ending))) throw new LeaseLost();
        onEnd?.('failed', 0);
        await notifier.failed(tenantId, id, `It could not be made: ${code}.`);
    }
}

function begunOrRefused(begun: Exclude<Begun, 'moved' | 'taken'>, id: string): string {
    if (begun === 'running') throw apiError('BACKUP_IN_PROGRESS');
    if (begun === 'restoring') throw apiError('RESTORE_IN_PROGRESS');
    return id;
}
