import type { Aggregate, Component } from '../../src/redis/aggregate.ts';
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
