import { REMOVE_PROJECT } from './service.ts';

import type { ProjectService } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const projectJobs = (projects: ProjectService): Processors => ({
    [REMOVE_PROJECT]: ({ tenantId, projectId = '' }) => projects.resume(tenantId, projectId),
});
