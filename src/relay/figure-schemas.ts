import Joi from 'joi';

import type { CallFigures } from './call-figures.ts';
import type { Bucket } from './histogram.ts';

export interface DaysQuery {
    days: number;
}

export const daysQuery = Joi.object<DaysQuery>({
    days: Joi.number().integer().min(1).max(90).default(7).description('in UTC, up to today'),
}).label('DaysQuery');

export const count = () => Joi.number().integer().min(0);
const latency = () => Joi.number().integer().allow(null);

/** The keys of `CallFigures`. */
export const figures = {
    requests: count(),
    successes: count(),
    errors: count(),
    errorsByKind: Joi.object()
        .pattern(Joi.string(), count())
        .description('by what the calls ended with')
        .label('CallErrors'),
    bytesIn: count(),
    bytesOut: count(),
    p50Ms: latency().description('a quarter too high at most, as the other percentiles; null: there was no call'),
    p95Ms: latency(),
    p99Ms: latency(),
};

export const histogram = Joi.array()
    .items(Joi.object<Bucket>({ upToMs: count(), count: count() }).label('LatencyBucket'))
    .description('latencies; buckets without a call are left out')
    .label('LatencyHistogram');

export const figuresExample: CallFigures = {
    requests: 120,
    successes: 118,
    errors: 2,
    errorsByKind: { timeout: 1, offline: 1 },
    bytesIn: 48_000,
    bytesOut: 1_200_000,
    p50Ms: 89,
    p95Ms: 527,
    p99Ms: 1_030,
};

export const histogramExample: Bucket[] = [
    { upToMs: 89, count: 80 },
    { upToMs: 527, count: 36 },
    { upToMs: 1_030, count: 3 },
];
