import Joi from 'joi';

import { idSchema } from '../../../src/ids.ts';
import { count, figures, figuresExample, histogram, histogramExample } from '../../../src/relay/figure-schemas.ts';

import type { MemberFigures, ProxyFigures, ProxyMetrics } from './metrics-service.ts';

export interface MetricsParams {
    proxyId: string;
}

export const metricsParams = Joi.object<MetricsParams>({ proxyId: idSchema('proxy').required() }).label('ProxyParams');

const proxyFigures = {
    ...figures,
    retries: count().description('tries after the first'),
    waited: count().description('requests that were in line'),
};

const day = Joi.object<ProxyFigures & { date: string }>({ date: Joi.string(), ...proxyFigures }).label('ProxyDay');
const member = Joi.object<MemberFigures>({ tunnelId: Joi.string(), ...figures }).label('ProxyMemberFigures');

export const metricsAnswer = Joi.object({
    metrics: Joi.object<ProxyMetrics>({
        ...proxyFigures,
        histogram,
        days: Joi.array().items(day).description('the newest first').label('ProxyDays'),
        members: Joi.array()
            .items(member)
            .description('of the tries to reach each member, over all those days')
            .label('ProxyMembersFigures'),
    }).label('ProxyMetrics'),
}).label('ProxyMetricsData');

const proxyExample: ProxyFigures = { ...figuresExample, retries: 2, waited: 4 };

export const metricsExample: ProxyMetrics = {
    ...proxyExample,
    histogram: histogramExample,
    days: [{ date: '2026-11-20', ...proxyExample }],
    members: [{ tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', ...figuresExample, requests: 122, errors: 4 }],
};
