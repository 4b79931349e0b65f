import { apiError, type ApiError } from '../../../src/http/errors.ts';

/**
 * `missing`: there is no file · `truncated`: it ends too early · `altered`: it is not as it was written · `unopened`:
 * its key was altered, or sealed with a master key that is not known any more · `replaced`: it changed while it was
 * read.
 */
export type Damage = 'missing' | 'truncated' | 'altered' | 'unopened' | 'replaced';

/** @param cause For the log */
export const damaged = (reason: Damage, cause?: unknown): ApiError =>
    apiError('BACKUP_DAMAGED', { details: { reason }, cause });
