import { RUN_BULK } from './bulk-service.ts';

import type { AccountFeature } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const accountJobs = (accounts: AccountFeature): Processors => ({
    [RUN_BULK]: ({ bulkId = '', askedAt = '0' }) => accounts.runBulk(bulkId, Number(askedAt)),
});
