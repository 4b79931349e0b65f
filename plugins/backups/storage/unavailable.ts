import { apiError, type ApiError } from '../../../src/http/errors.ts';

/** What went wrong is for the log; it may name paths and hosts. */
export const storageUnavailable = (cause: unknown): ApiError => apiError('BACKUP_STORAGE_UNAVAILABLE', { cause });
