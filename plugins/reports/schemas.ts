import Joi from 'joi';

import { USUAL, type ReportQuery } from './report-service.ts';
import { microsSchema } from '../../src/money.ts';

import type { Unit } from './periods.ts';

export const count = () => Joi.number().integer().min(0);
const period = () =>
    Joi.string().example('2026-11-20').description('in UTC: `2026-11-20T09`, `2026-11-20` or `2026-11`');
const asOf = () =>
    Joi.string().isoDate().allow(null).description('what tenants did before is in it; null before the first roll-up');

export const TENANT = 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
export const AS_OF = '2026-11-20T10:29:55.000Z';

const tenantKeys = {
    tenantId: Joi.string().example(TENANT),
    tenantName: Joi.string().allow(null).description('null once the tenant is purged'),
};
const ACME = { tenantId: TENANT, tenantName: 'Acme' };

const byCount = () => Joi.object().pattern(Joi.string(), count());
const byMicros = () => Joi.object().pattern(Joi.string(), microsSchema());

/** The query of a report by these units, the first of them unless asked otherwise. */
export function reportQuery(label: string, units: [Unit, ...Unit[]], most: number, more: Joi.PartialSchemaMap = {}) {
    const usual = units.map((unit) => `${USUAL[unit]} of \`${unit}\``).join(', ');
    return Joi.object<ReportQuery & { format: 'json' | 'csv' }>({
        unit: Joi.string()
            .valid(...units)
            .default(units[0]),
        count: Joi.number()
            .integer()
            .min(1)
            .max(most)
            .description(`the newest periods, this one among them; unless given ${usual}`),
        ...more,
    }).label(label);
}

/** Of what is kept of each tenant by day. */
export const MOST_PERIODS = 90;
/** Of what is kept by hour. */
export const MOST_HOURS = 192;

export const format = () => Joi.string().valid('json', 'csv').default('json');

const head = (...units: Unit[]) => ({
    unit: Joi.string().valid(...units),
    from: period(),
    to: period(),
    asOf: asOf(),
});
const headExample = { unit: 'day', from: '2026-11-20', to: '2026-11-20', asOf: AS_OF };

export const revenueAnswer = Joi.object({
    report: Joi.object({
        ...head('day', 'month'),
        totalMicros: microsSchema(),
        periods: Joi.array()
            .items(
                Joi.object({
                    period: period(),
                    revenueMicros: microsSchema().description('what was charged; refunds are not taken off'),
                    refundedMicros: microsSchema(),
                    byType: byMicros().label('RevenueByType').description('by type of the ledger’s entries'),
                }).label('RevenuePeriod'),
            )
            .label('RevenuePeriods')
            .description('the oldest first'),
        tenants: Joi.array()
            .items(Joi.object({ ...tenantKeys, revenueMicros: microsSchema() }).label('TenantRevenue'))
            .label('TenantRevenues')
            .description('the 20 with the most, of those that were among the 20 first of one period'),
    }).label('RevenueReport'),
}).label('RevenueReportData');

export const revenueExample = {
    report: {
        ...headExample,
        totalMicros: 50_000,
        periods: [{ period: '2026-11-20', revenueMicros: 50_000, refundedMicros: 0, byType: { model_usage: 50_000 } }],
        tenants: [{ ...ACME, revenueMicros: 50_000 }],
    },
};

export const usageAnswer = Joi.object({
    report: Joi.object({
        ...head('day', 'month'),
        periods: Joi.array()
            .items(
                Joi.object({
                    period: period(),
                    requests: count(),
                    errors: count(),
                    modelCalls: count(),
                    tokens: count(),
                }).label('PlatformUsagePeriod'),
            )
            .label('PlatformUsagePeriods')
            .description('the oldest first'),
        models: Joi.array()
            .items(
                Joi.object({
                    modelId: Joi.string().description('`relayed`: those of tenants’ own servers, together'),
                    calls: count(),
                    tokens: count(),
                }).label('PlatformModelUsage'),
            )
            .label('PlatformModelUsages')
            .description('the 20 that were called most'),
        tenants: Joi.array()
            .items(Joi.object({ ...tenantKeys, modelCalls: count(), tokens: count() }).label('TenantUsage'))
            .label('TenantUsages')
            .description('the 20 with the most calls, of those that were among the 20 first of one period'),
    }).label('UsageReport'),
}).label('UsageReportData');

export const usageExample = {
    report: {
        ...headExample,
        periods: [{ period: '2026-11-20', requests: 4_200, errors: 42, modelCalls: 120, tokens: 96_000 }],
        models: [{ modelId: 'claude-opus-4-6', calls: 120, tokens: 96_000 }],
        tenants: [{ ...ACME, modelCalls: 120, tokens: 96_000 }],
    },
};

export const backupsAnswer = Joi.object({
    report: Joi.object({
        ...head('day', 'month'),
        count: count().description('complete ones that there are'),
        bytes: count(),
        byTenant: Joi.array()
            .items(Joi.object({ ...tenantKeys, count: count(), bytes: count() }).label('TenantBackups'))
            .label('BackupsByTenant')
            .description('the 20 with the most bytes'),
        periods: Joi.array()
            .items(Joi.object({ period: period(), completed: count(), failed: count() }).label('BackupPeriod'))
            .label('BackupPeriods')
            .description('backups that ended in it; the oldest first'),
    }).label('BackupReport'),
}).label('BackupReportData');

export const backupsExample = {
    report: {
        ...headExample,
        count: 12,
        bytes: 8_400_000,
        byTenant: [{ ...ACME, count: 12, bytes: 8_400_000 }],
        periods: [{ period: '2026-11-20', completed: 3, failed: 0 }],
    },
};

export const errorsAnswer = Joi.object({
    report: Joi.object({
        ...head('hour', 'day'),
        periods: Joi.array()
            .items(
                Joi.object({
                    period: period(),
                    total: count(),
                    byCode: byCount().label('ErrorsByCode').description('by code of the catalogue'),
                }).label('ErrorPeriod'),
            )
            .label('ErrorPeriods')
            .description('the oldest first'),
    }).label('ErrorReport'),
}).label('ErrorReportData');

export const errorsExample = {
    report: {
        ...headExample,
        unit: 'hour',
        from: '2026-11-20T09',
        to: '2026-11-20T09',
        periods: [{ period: '2026-11-20T09', total: 3, byCode: { RATE_LIMITED: 2, VALIDATION_FAILED: 1 } }],
    },
};
