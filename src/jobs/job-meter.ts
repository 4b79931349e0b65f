import { BUCKETS, type Metrics } from '../telemetry/metrics.ts';

import type { JobQueues } from './jobs.ts';

/** Told of each try of a job; a job that is put off comes again later. */
export type JobMeter = (queue: string, job: string, outcome: 'done' | 'failed' | 'put_off', seconds: number) => void;

/** Measures what a worker does, and what waits for it. */
export function meterJobs(metrics: Metrics, jobs: Pick<JobQueues, 'counts'>): JobMeter {
    const tries = metrics.counter('jobs_total', 'Tries of jobs', ['queue', 'name', 'outcome']);
    const duration = metrics.histogram('job_duration_seconds', 'Time of a try of a job', BUCKETS.work, [
        'queue',
        'name',
    ]);
    const help = 'Jobs by their state, of all processes: every worker tells the same';
    metrics.gauge(
        'jobs_queued',
        help,
        async (set) => {
            for (const [queue, states] of Object.entries(await jobs.counts())) {
                for (const [state, count] of Object.entries(states)) set(count, queue, state);
            }
        },
        ['queue', 'state'],
    );
    return (queue, job, outcome, seconds) => {
        tries(queue, job, outcome).inc();
        duration(queue, job).observe(seconds);
    };
}
