import { DirectoryStorage } from './directory.ts';

import type { BackupStorage } from './types.ts';
import type { Config } from '../../../src/config.ts';

export type { BackupStorage, StoredFile } from './types.ts';

type StorageConfig = Pick<Config, 'BACKUP_DIR' | 'BACKUP_S3_BUCKET' | 'BACKUP_S3_ENDPOINT' | 'BACKUP_S3_PREFIX'>;

/** The storage that the settings name. Nothing is made or called before its first use. */
export const openStorage = (config: StorageConfig): BackupStorage => new DirectoryStorage(config.BACKUP_DIR);
