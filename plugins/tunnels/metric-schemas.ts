import Joi from 'joi';

import { figures, figuresExample, histogram, histogramExample } from '../../src/relay/figure-schemas.ts';

import type { TunnelMetrics } from './metrics-service.ts';
import type { CallFigures } from '../../src/relay/call-figures.ts';

const day = Joi.object<CallFigures & { date: string }>({ date: Joi.string(), ...figures }).label('TunnelDay');

export const metricsAnswer = Joi.object({
    metrics: Joi.object<TunnelMetrics>({
        ...figures,
        histogram,
        days: Joi.array().items(day).description('the newest first').label('TunnelDays'),
    }).label('TunnelMetrics'),
}).label('TunnelMetricsData');

export const metricsExample: TunnelMetrics = {
    ...figuresExample,
    histogram: histogramExample,
    days: [{ date: '2026-11-20', ...figuresExample }],
};
