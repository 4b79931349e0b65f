import type { ReportFeature } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

const ROLL_UP_REPORTS = 'roll-up-reports';
const SWEEP_REPORTS = 'sweep-reports';

/** What the workers do for this feature. */
export const reportJobs = (reports: ReportFeature): Processors => ({
    [ROLL_UP_REPORTS]: () => reports.rollUp(),
    [SWEEP_REPORTS]: () => reports.sweep(),
});

/** What one of them does again and again. */
export const reportSchedule = { [ROLL_UP_REPORTS]: 15_000, [SWEEP_REPORTS]: 60_000 };
