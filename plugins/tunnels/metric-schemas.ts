import Joi from 'joi';

import type { TunnelMetrics } from './metrics-service.ts';
import type { CallFigures } from '../../src/relay/call-figures.ts';
import type { Bucket } from '../../src/relay/histogram.ts';

export interface MetricsQuery {
    days: number;
}

export const metricsQuery = Joi.object<MetricsQuery>({
    days: Joi.number().integer().min(1).max(90).default(7).description('in UTC, up to today'),
}).label('TunnelMetricsQuery');

const count = () => Joi.number().integer().min(0);
const latency = () => Joi.number().integer().allow(null);

const figures = {
    requests: count(),
    successes: count(),
    errors: count(),
    errorsByKind: Joi.object()
        .pattern(Joi.string(), count())
        .description('by what the calls ended with')
        .label('TunnelErrors'),
    bytesIn: count(),
    bytesOut: count(),
    p50Ms: latency().description('a quarter too high at most, as the other percentiles; null: there was no call'),
    p95Ms: latency(),
    p99Ms: latency(),
};

const day = Joi.object<CallFigures & { date: string }>({ date: Joi.string(), ...figures }).label('TunnelDay');
const bucket = Joi.object<Bucket>({ upToMs: count(), count: count() }).label('LatencyBucket');

export const metricsAnswer = Joi.object({
    metrics: Joi.object<TunnelMetrics>({
        ...figures,
        histogram: Joi.array()
            .items(bucket)
            .description('latencies; buckets without a call are left out')
            .label('LatencyHistogram'),
        days: Joi.array().items(day).description('the newest first').label('TunnelDays'),
    }).label('TunnelMetrics'),
}).label('TunnelMetricsData');

const calls: CallFigures = {
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

export const metricsExample: TunnelMetrics = {
    ...calls,
    histogram: [
        { upToMs: 89, count: 80 },
        { upToMs: 527, count: 36 },
        { upToMs: 1_030, count: 3 },
    ],
    days: [{ date: '2026-11-20', ...calls }],
};
