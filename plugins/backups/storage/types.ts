/** A file in the storage. */
export interface StoredFile {
    name: string;
    bytes: number;
}

/**
 * Where archives are kept, by names of the form `<folder>/<file>.<extension>`; other names are refused with an `Error`.
 * What fails in the storage itself is `BACKUP_STORAGE_UNAVAILABLE`.
 */
export interface BackupStorage {
    /**
     * Nothing is there under the name until all of it is; a file that was there before is replaced as a whole, and of
     * several writers the one that ends last. @throws What the source throws; BACKUP_STORAGE_UNAVAILABLE
     */
    write(name: string, source: AsyncIterable<Buffer>): Promise<void>;
    /** Some at a time, as they are asked for. One that is not there is empty. @throws BACKUP_STORAGE_UNAVAILABLE */
    read(name: string): AsyncIterable<Buffer>;
    /** Null when there is none. @throws BACKUP_STORAGE_UNAVAILABLE */
    stat(name: string): Promise<StoredFile | null>;
    /** Also when there is none. @throws BACKUP_STORAGE_UNAVAILABLE */
    delete(name: string): Promise<void>;
    /** All of a folder, or all there are: in no certain order. @throws BACKUP_STORAGE_UNAVAILABLE */
    list(prefix: '' | `${string}/`): AsyncIterable<StoredFile>;
}
