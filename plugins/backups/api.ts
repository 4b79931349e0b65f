import type { Aggregate, Component } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Outbox } from '../../src/redis/outbox.ts';

export type BackupType = 'full' | 'database' | 'config';

/** What an archive says of itself; it is read before anything else of it. */
export interface ArchiveHeader {
    schemaVersion: number;
    backupId: string;
    tenantId: string;
    type: BackupType;
    components: Component[];
    createdAt: string;
    appVersion: string;
}

/** What was written, or found whole: bytes and SHA-256 of the file as it is stored. */
export interface ArchiveSummary {
    header: ArchiveHeader;
    /** Aggregates by kind. */
    counts: Record<string, number>;
    bytes: number;
    sha256: string;
    /** SHA-256 of the aggregates before they were compressed and sealed: equal for equal data. */
    contentSha256: string;
}

/** In how many aggregates, by kind, a later archive differs from an earlier one. */
export interface ArchiveDifference {
    added: Record<string, number>;
    removed: Record<string, number>;
    changed: Record<string, number>;
    unchanged: Record<string, number>;
}

/** Archives in the storage that is configured. Ids that are not ids are refused with an `Error`: check them before. */
export interface Archives {
    /** Nothing is there under the name until all of it is. @throws What the aggregates throw; BACKUP_STORAGE_UNAVAILABLE */
    write(header: ArchiveHeader, aggregates: AsyncIterable<Aggregate>): Promise<ArchiveSummary>;
    /** Reads all of it. @throws BACKUP_DAMAGED, BACKUP_FOREIGN, BACKUP_TOO_NEW, BACKUP_STORAGE_UNAVAILABLE */
    verify(tenantId: string, backupId: string): Promise<ArchiveSummary>;
    /** The aggregates of an archive. Nobody is given any before `verify` has gone over it. @throws as `verify` */
    read(tenantId: string, backupId: string): AsyncIterable<Aggregate>;
    /** The file as it is stored, and its size. @throws BACKUP_DAMAGED if there is none, BACKUP_STORAGE_UNAVAILABLE */
    download(tenantId: string, backupId: string): Promise<{ body: AsyncIterable<Buffer>; bytes: number }>;
    /** Also when there is none. @throws BACKUP_STORAGE_UNAVAILABLE */
    delete(tenantId: string, backupId: string): Promise<void>;
    /** What the second has that the first has not, and so on. Verifies both first. @throws as `verify` */
    compare(tenantId: string, firstId: string, secondId: string): Promise<ArchiveDifference>;
}

/** A tenant's records: as aggregates, and back. */
export interface TenantData {
    /** Every aggregate of those components, each as it was at one moment. */
    read(tenantId: string, components: Component[]): AsyncIterable<Aggregate>;
    /** Puts them, with their indexes, beside the tenant's own, where nobody sees them; begun again, it starts over. */
    stage(tenantId: string, restoreId: string, aggregates: AsyncIterable<Aggregate>): Promise<void>;
    /**
     * Puts what is staged in the place of all that the tenant has of those components. Called again after a crash, it
     * goes on where it was, whatever components it is given then; the tenant is refused (`TENANT_RESTORING`) from the
     * beginning until it is done. `deployment` is plan and figures, which are the operator's to say.
     *
     * @param outbox Told in the step that ends it
     * @throws RESTORE_WOULD_ORPHAN, RESTORE_WITHOUT_ADMIN, TENANT_RESTORING, INVALID_STATE: then nothing has changed
     */
    swap(tenantId: string, restoreId: string, components: Component[], outbox?: Outbox): Promise<void>;
    /** Forgets what is staged and unlocks the tenant, if it is not being swapped in. */
    discard(tenantId: string, restoreId: string): Promise<void>;
}

export type BackupState = 'in_progress' | 'completed' | 'verified' | 'failed';

/** Who asked for a backup: somebody, a schedule, or a restore that keeps what it replaces. */
export type BackupTrigger = 'manual' | 'schedule' | 'safety';

/** How the last look at a whole archive ended. */
export interface Verification {
    result: 'running' | 'passed' | 'failed';
    error: string | null;
    /** ISO-8601 */
    at: string;
}

/** A backup of a tenant; what is told of its archive is null until it is there. */
export interface Backup extends RecordBase {
    type: BackupType;
    components: Component[];
    description: string | null;
    state: BackupState;
    trigger: BackupTrigger;
    scheduleId: string | null;
    /** The user's id, or `schedule`, `operator`. */
    createdBy: string;
    /** Aggregates that were written so far. */
    processed: number;
    /** Aggregates by kind. */
    counts: Record<string, number> | null;
    bytes: number | null;
    sha256: string | null;
    contentSha256: string | null;
    durationMs: number | null;
    /** Why it failed: a code of the catalogue. */
    error: string | null;
    verification: Verification | null;
    completedAt: string | null;
    expiresAt: string;
}

export type RestoreState = 'verifying' | 'safety_backup' | 'staging' | 'swapping' | 'completed' | 'failed';

/** A restore, by the step that it is at. */
export interface Restore extends RecordBase {
    backupId: string;
    components: Component[];
    /** Plan and own figures of the tenant come back too. */
    withPlan: boolean;
    state: RestoreState;
    /** Of what was there before. */
    safetyBackupId: string | null;
    /** The user's id, or `operator`. */
    createdBy: string;
    error: string | null;
    errorDetails: Record<string, unknown> | null;
    completedAt: string | null;
}

/** When backups are made by themselves; times are null where there is none. */
export interface BackupSchedule extends RecordBase {
    name: string;
    /** Five fields of crontab(5). */
    cron: string;
    /** Of the IANA database. */
    timezone: string;
    type: BackupType;
    retentionDays: number;
    enabled: boolean;
    lastRunAt: string | null;
    nextRunAt: string | null;
}

/** What an operator does by a command, without anybody's request. */
export interface OperatorBackups {
    /** @throws BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS */
    backup(tenantId: string, type: BackupType): Promise<Backup>;
    /**
     * @param order Without components: all that the backup has
     * @throws BACKUP_NOT_FOUND, BACKUP_COMPONENT_MISSING, INVALID_STATE, BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS
     */
    restore(tenantId: string, order: OperatorRestore): Promise<Restore>;
}

export interface OperatorRestore {
    backupId: string;
    components?: Component[];
    withPlan: boolean;
}

/** The port of the backups feature. */
export interface BackupFeature {
    /** Writes a backup that was begun, in the process that calls; another one's is left to it. */
    write(tenantId: string, backupId: string): Promise<void>;
    verify(tenantId: string, backupId: string): Promise<void>;
    /** Does a restore from the step that it is at, in the process that calls. */
    restore(tenantId: string, restoreId: string): Promise<void>;
    /** Begins what is due, takes up what was left lying, removes what is too old. */
    sweep(): Promise<void>;
    operator: OperatorBackups;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        backups: BackupFeature;
    }
}
