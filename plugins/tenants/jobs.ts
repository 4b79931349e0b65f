import { PURGE_TENANT } from './service.ts';

import type { TenantService } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const tenantJobs = (tenants: TenantService): Processors => ({
    [PURGE_TENANT]: ({ tenantId }) => tenants.purge(tenantId),
});
