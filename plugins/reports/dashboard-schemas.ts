import Joi from 'joi';

import { AS_OF, count } from './schemas.ts';
import { microsSchema } from '../../src/money.ts';

export const dashboardAnswer = Joi.object({
    dashboard: Joi.object({
        asOf: Joi.string()
            .isoDate()
            .allow(null)
            .description('what tenants did before is in it; null before the first roll-up'),
        tenants: Joi.object({
            total: count(),
            active: count(),
            suspended: count(),
            deleted: count().description('not purged yet'),
        }).label('TenantCounts'),
        users: Joi.object({
            total: count().description('of all tenants, with those that are deleted and not purged yet'),
            active30d: count().description(
                'an estimate (HyperLogLog, standard error 0.81 %) of those with a request on one of the last 30 days',
            ),
        }).label('UserCounts'),
        revenueMicros: Joi.object({ today: microsSchema(), month: microsSchema(), lastMonth: microsSchema() })
            .label('RevenueSoFar')
            .description('what was charged; refunds are not taken off'),
        usage: Joi.object({
            requestsToday: count(),
            requestsThisMonth: count(),
            modelCallsToday: count(),
            tokensToday: count(),
        }).label('PlatformUsage'),
        errors: Joi.object({
            today: count().description('requests that were answered with an error'),
            byCode: Joi.array()
                .items(Joi.object({ code: Joi.string(), count: count() }).label('ErrorCount'))
                .label('ErrorCounts')
                .description('of today, the ten that came most'),
        }).label('ErrorsToday'),
        backups: Joi.object({ count: count(), bytes: count(), failed24h: count() }).label('PlatformBackups'),
        requests: Joi.array()
            .items(Joi.object({ period: Joi.string(), count: count(), errors: count() }).label('RequestHour'))
            .label('RequestHours')
            .description('of the last 24 hours in UTC, the oldest first'),
    }).label('Dashboard'),
}).label('DashboardData');

export const dashboardExample = {
    dashboard: {
        asOf: AS_OF,
        tenants: { total: 12, active: 10, suspended: 1, deleted: 1 },
        users: { total: 340, active30d: 215 },
        revenueMicros: { today: 1_250_000, month: 48_000_000, lastMonth: 61_000_000 },
        usage: { requestsToday: 4_200, requestsThisMonth: 96_000, modelCallsToday: 120, tokensToday: 96_000 },
        errors: { today: 42, byCode: [{ code: 'RATE_LIMITED', count: 30 }] },
        backups: { count: 36, bytes: 25_200_000, failed24h: 0 },
        requests: [{ period: '2026-11-20T09', count: 310, errors: 4 }],
    },
};
