import { StoredArchives, type ArchivesOptions } from './stored-archives.ts';

import type { Archives } from '../api.ts';

export { SCHEMA_VERSION } from './lines.ts';
export type { ArchivesOptions } from './stored-archives.ts';

/** Archives in a storage, sealed by a vault. Files of other writers are read if they are of a format that is known. */
export const openArchives = (options: ArchivesOptions): Archives => new StoredArchives(options);
