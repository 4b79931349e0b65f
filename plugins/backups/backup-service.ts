import { tell } from './outbox.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { ArchiveDifference, Archives, Backup } from './api.ts';
import type { BackupPage, BackupStore } from './backup-store.ts';
import type { BackupWork } from './backup-work.ts';
import type { BackupQuery, CreateBackup } from './schemas.ts';
import type { BackupStats, StatsStore } from './stats-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';

export const VERIFY_BACKUP = 'verify-backup';

export interface BackupParts {
    store: BackupStore;
    stats: StatsStore;
    work: BackupWork;
    archives: Archives;
    jobs: Jobs;
    clock: Clock;
    logger: Logger;
}

/** The file of an archive. */
export interface Download {
    backup: Backup;
    body: AsyncIterable<Buffer>;
    bytes: number;
}

/** Two backups side by side. */
export interface Comparison {
    /** Whether they have the same data. */
    isIdentical: boolean;
    first: Backup;
    second: Backup;
    bytesDifference: number;
    counts: { kind: string; first: number; second: number; difference: number }[];
    /** Which aggregates differ, where that was asked for. */
    contents: ArchiveDifference | null;
}

/** Backups of the actor's tenant. */
export class Backups {
    readonly #parts: BackupParts;

    constructor(parts: BackupParts) {
        this.#parts = parts;
    }

    /** @throws INVALID_CURSOR */
    list = ({ tenantId }: Actor, query: BackupQuery): Promise<BackupPage> => this.#parts.store.list(tenantId, query);

    /** @throws BACKUP_NOT_FOUND */
    get = ({ tenantId }: Actor, id: string): Promise<Backup> => this.#parts.store.get(tenantId, id);

    stats = ({ tenantId }: Actor): Promise<BackupStats> => this.#parts.stats.read(tenantId);

    /** @throws BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS */
    async create(actor: Actor, { type, description }: CreateBackup): Promise<Backup> {
        const { work } = this.#parts;
        const order = { type, description, trigger: 'manual', createdBy: actor.userId } as const;
        const backup = await work.begin(actor.tenantId, order, actor);
        await work.enqueue(actor.tenantId, backup.id, { requestId: actor.requestId });
        return backup;
    }

    /** Has a worker look at the whole archive. @throws BACKUP_NOT_FOUND, INVALID_STATE, STORE_UNAVAILABLE */
    async verify(actor: Actor, backupId: string): Promise<Backup> {
        const { store, jobs, clock } = this.#parts;
        const { tenantId } = actor;
        const verification = { result: 'running', error: null, at: isoTime(clock()) } as const;
        const told = { action: 'backup.verify', resource: 'backup', id: backupId, result: 'intended' } as const;
        const outbox = tell(actor, told);
        const backup = await store.change(tenantId, backupId, ['completed', 'verified'], { verification }, outbox);
        const { requestId } = actor;
        await jobs.add(VERIFY_BACKUP, { tenantId, backupId, requestId }, { id: newId('job') });
        return backup;
    }

    /** @throws BACKUP_NOT_FOUND, REVISION_MISMATCH, BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS */
    async delete(actor: Actor, backupId: string, revision?: number): Promise<void> {
        const { store, work, logger } = this.#parts;
        const { tenantId } = actor;
        const backup = await store.get(tenantId, backupId);
        const outbox = tell(actor, {
            event: 'backup.deleted',
            data: { backupId, reason: 'request' },
            action: 'backup.delete',
            resource: 'backup',
            id: backupId,
        });
        await store.delete(tenantId, backup, outbox, revision);
        await work.remove(tenantId, backupId).catch((error: unknown) => {
            // It is written down, and removed by a later sweep.
            logger.warn({ module: 'backups', tenantId, backupId, err: error }, 'An archive could not be removed yet');
        });
    }

    /** @throws BACKUP_NOT_FOUND, INVALID_STATE, BACKUP_DAMAGED, BACKUP_STORAGE_UNAVAILABLE */
    async download({ tenantId }: Actor, backupId: string): Promise<Download> {
        const backup = await this.#complete(tenantId, backupId);
        return { backup, ...(await this.#parts.archives.download(tenantId, backupId)) };
    }

    /** @throws BACKUP_NOT_FOUND, INVALID_STATE; with contents also what `Archives.verify` does */
    async compare({ tenantId }: Actor, ids: [string, string], withContents: boolean): Promise<Comparison> {
        const first = await this.#complete(tenantId, ids[0]);
        const second = await this.#complete(tenantId, ids[1]);
        const kinds = new Set([...Object.keys(first.counts ?? {}), ...Object.keys(second.counts ?? {})]);
        const contents = withContents ? await this.#parts.archives.compare(tenantId, ...ids) : null;
        return {
            isIdentical: first.contentSha256 === second.contentSha256,
            first,
            second,
            bytesDifference: (second.bytes ?? 0) - (first.bytes ?? 0),
            counts: [...kinds].toSorted().map((kind) => {
                const [one, other] = [first.counts?.[kind] ?? 0, second.counts?.[kind] ?? 0];
                return { kind, first: one, second: other, difference: other - one };
            }),
            contents,
        };
    }

    async #complete(tenantId: string, backupId: string): Promise<Backup> {
        const backup = await this.#parts.store.get(tenantId, backupId);
        if (backup.state === 'completed' || backup.state === 'verified') return backup;
        throw apiError('INVALID_STATE', { details: { from: backup.state } });
    }
}
