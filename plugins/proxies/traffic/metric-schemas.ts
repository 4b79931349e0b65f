import Joi from 'joi';

import { idSchema } from '../../../src/ids.ts';

import type { MemberFigures, ProxyFigures, ProxyMetrics } from './metrics-service.ts';
import type { CallFigures } from '../../../src/relay/call-figures.ts';
import type { Bucket } from '../../../src/relay/histogram.ts';

export interface MetricsParams {
    proxyId: string;
}

export const metricsParams = Joi.object<MetricsParams>({ proxyId: idSchema('proxy').required() }).label('ProxyParams');

export interface MetricsQuery {
    days: number;
}

export const metricsQuery = Joi.object<MetricsQuery>({
    days: Joi.number().integer().min(1).max(90).default(7).description('in UTC, up to today'),
}).label('ProxyMetricsQuery');

const count = () => Joi.number().integer().min(0);
const latency = () => Joi.number().integer().allow(null);

const figures = {
    requests: count(),
    successes: count(),
    errors: count(),
    errorsByKind: Joi.object()
        .pattern(Joi.string(), count())
        .description('by what the calls ended with')
        .label('ProxyErrors'),
    bytesIn: count(),
    bytesOut: count(),
    p50Ms: latency().description('a quarter too high at most, as the other percentiles; null: there was no call'),
    p95Ms: latency(),
    p99Ms: latency(),
};
const proxyFigures = {
    ...figures,
    retries: count().description('tries after the first'),
    waited: count().description('requests that were in line'),
};

const day = Joi.object<ProxyFigures & { date: string }>({ date: Joi.string(), ...proxyFigures }).label('ProxyDay');
const member = Joi.object<MemberFigures>({ tunnelId: Joi.string(), ...figures }).label('ProxyMemberFigures');
const bucket = Joi.object<Bucket>({ upToMs: count(), count: count() }).label('ProxyLatencyBucket');

export const metricsAnswer = Joi.object({
    metrics: Joi.object<ProxyMetrics>({
        ...proxyFigures,
        histogram: Joi.array()
            .items(bucket)
            .description('latencies; buckets without a call are left out')
            .label('ProxyLatencyHistogram'),
        days: Joi.array().items(day).description('the newest first').label('ProxyDays'),
        members: Joi.array()
            .items(member)
            .description('of the tries to reach each member, over all those days')
            .label('ProxyMembersFigures'),
    }).label('ProxyMetrics'),
}).label('ProxyMetricsData');

const calls: CallFigures = {
    requests: 120,
    successes: 119,
    errors: 1,
    errorsByKind: { timeout: 1 },
    bytesIn: 48_000,
    bytesOut: 1_200_000,
    p50Ms: 89,
    p95Ms: 527,
    p99Ms: 1_030,
};
const proxyCalls: ProxyFigures = { ...calls, retries: 2, waited: 4 };
const tries: CallFigures = { ...calls, requests: 122, errors: 3, errorsByKind: { timeout: 1, offline: 2 } };

export const metricsExample: ProxyMetrics = {
    ...proxyCalls,
    histogram: [
        { upToMs: 89, count: 80 },
        { upToMs: 527, count: 36 },
        { upToMs: 1_030, count: 4 },
    ],
    days: [{ date: '2026-11-20', ...proxyCalls }],
    members: [{ tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', ...tries }],
};
