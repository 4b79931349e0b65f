import type { TunnelService } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

const SWEEP_TUNNELS = 'sweep-tunnels';
const SWEEP_EVERY_MS = 15_000;

/** What the workers do for this feature. */
export const tunnelJobs = (tunnels: Pick<TunnelService, 'sweep'>): Processors => ({
    [SWEEP_TUNNELS]: () => tunnels.sweep(),
});

/** What one of them does again and again. */
export const tunnelSchedule = { [SWEEP_TUNNELS]: SWEEP_EVERY_MS };
