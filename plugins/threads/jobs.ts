import { SUMMARIZE } from './summary-jobs.ts';

import type { ThreadFeature } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const threadJobs = (threads: ThreadFeature): Processors => ({
    [SUMMARIZE]: (data) => threads.summarizeInTurn(data),
});
