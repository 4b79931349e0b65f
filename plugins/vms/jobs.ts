import { OPERATE_VM } from './operations.ts';
import { RECONCILE_EVERY_MS, RECONCILE_VMS } from './reconciler.ts';

import type { VmFeature } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const vmJobs = (vms: VmFeature): Processors => ({
    [OPERATE_VM]: (data) => vms.operate(data),
    [RECONCILE_VMS]: () => vms.reconcile(),
});

/** What one of them does again and again. */
export const vmSchedule = { [RECONCILE_VMS]: RECONCILE_EVERY_MS };
