import { KEEP_DIRECTORY, KEEP_EVERY_MS } from './round.ts';

import type { Directory } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const directoryJobs = (directory: Directory): Processors => ({ [KEEP_DIRECTORY]: () => directory.keep() });

/** What one of them does again and again. */
export const directorySchedule = { [KEEP_DIRECTORY]: KEEP_EVERY_MS };
