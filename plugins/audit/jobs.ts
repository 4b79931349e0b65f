import type { AuditService } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

const SEAL_AUDIT = 'seal-audit';
const KEEP_AUDIT = 'keep-audit';

/** What the workers do for this feature. */
export const auditJobs = (audit: AuditService): Processors => ({
    [SEAL_AUDIT]: () => audit.sealDue(),
    [KEEP_AUDIT]: () => audit.keep(),
});

/** What one of them does again and again. */
export const auditSchedule = { [SEAL_AUDIT]: 15_000, [KEEP_AUDIT]: 60_000 };
