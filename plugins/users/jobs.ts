import { PURGE_USER } from './service.ts';

import type { UserService } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const userJobs = (users: UserService): Processors => ({
    [PURGE_USER]: ({ tenantId, userId = '' }) => users.purge(tenantId, userId),
});
