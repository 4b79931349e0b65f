import { BUCKETS, type Metrics } from '../../src/telemetry/metrics.ts';

import type { AttemptParts } from './attempts.ts';

/** Measures attempts of deliveries. */
export function attemptMeter(metrics: Metrics): AttemptParts['onAttempt'] {
    const help = 'Attempts of deliveries: `delivered`, `failed`, or `gone` for good';
    const attempts = metrics.counter('webhook_deliveries_total', help, ['outcome']);
    const duration = metrics.histogram('webhook_delivery_duration_seconds', 'Time of an attempt', BUCKETS.work);
    for (const outcome of ['delivered', 'failed', 'gone']) attempts(outcome).inc(0);
    return ({ outcome, durationMs }) => {
        attempts(outcome).inc();
        duration().observe(durationMs / 1000);
    };
}
