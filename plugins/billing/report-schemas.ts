import Joi from 'joi';

import { shown, shownKeys } from './amounts.ts';
import { ENTRY_TYPES } from './entry.ts';
import { ITEM_KINDS } from './invoice-service.ts';
import { PERIODS, type Period } from './summary-service.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';

import type { Micros } from '../../src/money.ts';

const count = () => Joi.number().integer().min(0);
const counts = { calls: count(), inputTokens: count(), outputTokens: count(), minutes: count(), bytes: count() };

const consumer = Joi.object({ id: Joi.string(), ...shownKeys('spent'), ...counts }).label('Consumer');
const consumers = () => Joi.array().items(consumer).label('Consumers');
const typeSums = () =>
    Joi.array()
        .items(Joi.object({ type: Joi.string().valid(...ENTRY_TYPES), ...shownKeys('amount') }).label('LedgerTypeSum'))
        .label('LedgerTypeSums')
        .description('as the ledger has them: negative where it was taken');

const consumerExample = (id: string) => ({
    id,
    ...shown('spent', 50_000n),
    calls: 12,
    inputTokens: 14_400,
    outputTokens: 9_600,
    minutes: 0,
    bytes: 0,
});
const MODEL = consumerExample('claude-opus-4-6');
const USER = { ...consumerExample('user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC'), calls: 0, inputTokens: 0, outputTokens: 0 };
const TYPES = [{ type: 'model_usage', ...shown('amount', -50_000n) }];

export const summaryQuery = Joi.object<{ period: Period }>({
    period: Joi.string()
        .valid(...Object.keys(PERIODS))
        .default('30d'),
}).label('UsageSummaryQuery');

export const summaryAnswer = Joi.object({
    summary: Joi.object({
        period: Joi.string().valid(...Object.keys(PERIODS)),
        unit: Joi.string().valid('hour', 'day'),
        ...shownKeys('spent'),
        types: typeSums(),
        models: consumers(),
        vms: consumers(),
        tunnels: consumers(),
        users: consumers(),
        keys: consumers(),
        series: Joi.array()
            .items(
                Joi.object({
                    from: Joi.string().description('the day, or when the hour began, in UTC'),
                    ...shownKeys('spent'),
                }).label('SpentInStretch'),
            )
            .label('SpentByTime')
            .description('the oldest first'),
    }).label('SpendingSummary'),
}).label('SpendingSummaryData');

export const summaryData = {
    summary: {
        period: '30d',
        unit: 'day',
        ...shown('spent', 50_000n),
        types: TYPES,
        models: [MODEL],
        vms: [],
        tunnels: [],
        users: [USER],
        keys: [],
        series: [{ from: '2026-11-20', ...shown('spent', 50_000n) }],
    },
};

const month = () => Joi.object({ month: Joi.string(), ...shownKeys('spent') }).label('SpentInMonth');
const trend = () =>
    Joi.object({
        ...shownKeys('spent'),
        ...shownKeys('before'),
        changePercent: Joi.number().integer().allow(null).description('null: nothing was spent before'),
        trend: Joi.string().valid('up', 'down', 'stable').description('stable within 10 %'),
    }).label('SpendingTrend');

export const analysisAnswer = Joi.object({
    analysis: Joi.object({
        thisMonth: month(),
        lastMonth: month(),
        projection: Joi.object({
            ...shownKeys('spent'),
            ...shownKeys('perDay'),
            daysLeft: count(),
            method: Joi.string(),
        })
            .label('SpendingProjection')
            .description('what this month comes to'),
        trends: Joi.object({ sevenDays: trend(), thirtyDays: trend() })
            .label('SpendingTrends')
            .description('whole days: today is not over'),
        topModels: consumers(),
        topUsers: consumers(),
        topVms: consumers(),
        topKeys: consumers(),
    }).label('CostAnalysis'),
}).label('CostAnalysisData');

const trendExample = (spent: Micros, before: Micros) => ({
    ...shown('spent', spent),
    ...shown('before', before),
    changePercent: 25,
    trend: 'up',
});

export const analysisData = {
    analysis: {
        thisMonth: { month: '2026-11', ...shown('spent', 50_000n) },
        lastMonth: { month: '2026-10', ...shown('spent', 40_000n) },
        projection: {
            ...shown('spent', 75_000n),
            ...shown('perDay', 2_500n),
            daysLeft: 10,
            method: 'this month so far, and for each day after today what the last 7 whole days cost per day',
        },
        trends: { sevenDays: trendExample(17_500n, 14_000n), thirtyDays: trendExample(75_000n, 60_000n) },
        topModels: [MODEL],
        topUsers: [USER],
        topVms: [],
        topKeys: [],
    },
};

const invoiceHead = {
    number: Joi.number().integer().allow(null).description('without a gap; null as long as the month is open'),
    month: Joi.string().example('2026-10'),
    status: Joi.string().valid('open', 'closed'),
    tenantName: Joi.string().allow(''),
    issuedAt: Joi.string().isoDate().allow(null),
    ...shownKeys('opening'),
    ...shownKeys('added'),
    ...shownKeys('deducted'),
    ...shownKeys('refunded'),
    ...shownKeys('charged'),
    ...shownKeys('total'),
    ...shownKeys('closing'),
};

const headExample = {
    number: 3,
    month: '2026-10',
    status: 'closed',
    tenantName: 'Acme',
    issuedAt: '2026-11-01T00:00:12.000Z',
    ...shown('opening', 1_000_000n),
    ...shown('added', 5_000_000n),
    ...shown('deducted', 0n),
    ...shown('refunded', 0n),
    ...shown('charged', 50_000n),
    ...shown('total', 50_000n),
    ...shown('closing', 5_950_000n),
};

const { order: _order, ...invoicePage } = pageParams({ usual: 12, most: 100 });
export const invoicesQuery = Joi.object<Omit<PageParams, 'order'>>(invoicePage).label('InvoicesQuery');

export const invoicesAnswer = Joi.object({
    invoices: Joi.array().items(Joi.object(invoiceHead).label('InvoiceHead')).label('InvoiceHeads'),
}).label('InvoicesData');
export const invoicesData = { invoices: [headExample] };

export const invoiceParams = Joi.object<{ month: string }>({
    month: Joi.string()
        .pattern(/^\d{4}-(0[1-9]|1[0-2])$/, 'month')
        .required()
        .example('2026-10'),
}).label('InvoiceParams');

export const invoiceQuery = Joi.object<{ format: 'json' | 'csv' }>({
    format: Joi.string().valid('json', 'csv').default('json'),
}).label('InvoiceQuery');

export const invoiceAnswer = Joi.object({
    invoice: Joi.object({
        ...invoiceHead,
        lines: typeSums(),
        items: Joi.array()
            .items(
                Joi.object({
                    kind: Joi.string().valid(...ITEM_KINDS),
                    id: Joi.string(),
                    ...shownKeys('spent'),
                    ...counts,
                }).label('InvoiceItem'),
            )
            .label('InvoiceItems')
            .description('what the charges were for'),
    }).label('Invoice'),
}).label('InvoiceData');

export const invoiceData = {
    invoice: {
        ...headExample,
        lines: [...TYPES, { type: 'credit_add', ...shown('amount', 5_000_000n) }],
        items: [{ kind: 'model', ...MODEL }],
    },
};

const price = () => Joi.number().integer().min(0).allow(null).description('null: nobody has told us');
const table = () =>
    Joi.object({ input: price(), output: price(), cacheRead: price(), cacheWrite: price() })
        .label('PriceTable')
        .description('micro-dollars per million tokens');

const priceSchema = Joi.object({
    isInForce: Joi.boolean().description('false: announced'),
    validFrom: Joi.string().allow(null).description('a day in UTC; null: always'),
    validUntil: Joi.string().allow(null).description('the last day'),
    microsPerMillion: table(),
    aboveInputTokens: Joi.object({ tokens: count(), microsPerMillion: table() })
        .allow(null)
        .label('LongContextPrices')
        .description('a call with more input tokens than that is priced by this table, as a whole'),
}).label('Price');

export const pricesAnswer = Joi.object({
    prices: Joi.object({
        version: Joi.string(),
        models: Joi.array()
            .items(
                Joi.object({
                    modelId: Joi.string(),
                    isPaid: Joi.boolean().description('false: its calls cost nothing'),
                    prices: Joi.array().items(priceSchema).label('Prices'),
                }).label('ModelPrices'),
            )
            .label('ModelPriceList'),
        units: Joi.array()
            .items(
                Joi.object({
                    item: Joi.string().example('vm.small'),
                    unit: Joi.string().example('hour'),
                    ...shownKeys('amount'),
                }).label('UnitPrice'),
            )
            .label('UnitPrices')
            .description('what else is charged'),
    }).label('PriceBook'),
}).label('PriceBookData');

export const pricesData = {
    prices: {
        version: '2026-11-01',
        models: [
            {
                modelId: 'claude-opus-4-6',
                isPaid: true,
                prices: [
                    {
                        isInForce: true,
                        validFrom: null,
                        validUntil: null,
                        microsPerMillion: {
                            input: 5_000_000,
                            output: 25_000_000,
                            cacheRead: 500_000,
                            cacheWrite: 6_250_000,
                        },
                        aboveInputTokens: null,
                    },
                ],
            },
        ],
        units: [{ item: 'vm.small', unit: 'hour', ...shown('amount', 50_000n) }],
    },
};
