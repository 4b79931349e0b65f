import { DirectoryStorage } from './directory.ts';
import { S3Storage } from './s3.ts';

import type { BackupStorage } from './types.ts';
import type { Config } from '../../../src/config.ts';

export type { BackupStorage, StoredFile } from './types.ts';

type StorageConfig = Pick<Config, 'BACKUP_DIR' | 'BACKUP_S3_BUCKET' | 'BACKUP_S3_ENDPOINT' | 'BACKUP_S3_PREFIX'>;

/** The storage that the settings name: the bucket if there is one. Nothing is made or called before its first use. */
export function openStorage(config: StorageConfig): BackupStorage {
    const { BACKUP_S3_BUCKET: bucket, BACKUP_S3_ENDPOINT: endpoint, BACKUP_S3_PREFIX: prefix } = config;
    if (bucket === undefined) return new DirectoryStorage(config.BACKUP_DIR);
    return new S3Storage({ bucket, prefix, ...(endpoint !== undefined && { endpoint }) });
}
