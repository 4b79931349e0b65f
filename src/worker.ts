import { tenantJobs } from '../plugins/tenants/jobs.ts';
import { threadJobs } from '../plugins/threads/jobs.ts';
import { userJobs } from '../plugins/users/jobs.ts';

import type { Server } from '@hapi/hapi';
import type { Processors } from './jobs/worker.ts';

/** What the workers do for each feature. */
export const processorsOf = ({ plugins: { tenants, threads, users } }: Server): Processors => ({
    ...tenantJobs(tenants),
    ...threadJobs(threads),
    ...userJobs(users),
});
