import Joi from 'joi';

import type { UsageQuery } from './service.ts';

const count = () => Joi.number().integer().min(0);
const average = () => count().allow(null).description('null: none was measured');

export const usageQuery = Joi.object<UsageQuery>({
    days: Joi.number().integer().min(1).max(92).description('30 unless given; today is one of them'),
    months: Joi.number().integer().min(1).max(25).description('by month in place of days; this month is one of them'),
})
    .custom((query: UsageQuery, { error }) =>
        query.days !== undefined && query.months !== undefined
            ? error('object.oxor', { peers: ['days', 'months'] })
            : query,
    )
    .label('UsageQuery');

const figures = {
    calls: count(),
    errors: count(),
    errorsByCategory: Joi.object()
        .pattern(Joi.string(), count())
        .description('by the category of the error, as in the catalogue')
        .label('ErrorsByCategory'),
    cancelled: count(),
    inputFresh: count().description('tokens'),
    cacheRead: count().description('tokens'),
    cacheWrite: count().description('tokens'),
    output: count().description('tokens'),
    reasoning: count().description('tokens; a part of output'),
    estimatedCalls: count().description('calls whose tokens were counted from the text'),
    averageDurationMs: average(),
    averageTimeToFirstTokenMs: average(),
};

const modelUsageSchema = Joi.object({ modelId: Joi.string(), ...figures }).label('ModelUsage');
const modelUsagesSchema = Joi.array().items(modelUsageSchema).label('ModelUsages');

export const modelUsageAnswer = Joi.object({
    usage: Joi.object({
        unit: Joi.string().valid('day', 'month'),
        from: Joi.string().description('the oldest day or month, in UTC'),
        to: Joi.string().description('today or this month'),
        total: Joi.object(figures).label('UsageFigures'),
        models: modelUsagesSchema,
        periods: Joi.array()
            .items(Joi.object({ period: Joi.string(), models: modelUsagesSchema }).label('UsagePeriod'))
            .label('UsagePeriods')
            .description('the newest first, without those in which nothing was called'),
    }).label('UsageByModel'),
}).label('UsageByModelData');

const figuresExample = {
    calls: 12,
    errors: 1,
    errorsByCategory: { rate_limit: 1 },
    cancelled: 2,
    inputFresh: 4_210,
    cacheRead: 1_024,
    cacheWrite: 0,
    output: 3_870,
    reasoning: 512,
    estimatedCalls: 2,
    averageDurationMs: 2_340,
    averageTimeToFirstTokenMs: 410,
};
const modelExample = { modelId: 'claude-opus-4-6', ...figuresExample };

export const modelUsageExample = {
    usage: {
        unit: 'day',
        from: '2026-10-22',
        to: '2026-11-20',
        total: figuresExample,
        models: [modelExample],
        periods: [{ period: '2026-11-19', models: [modelExample] }],
    },
};
