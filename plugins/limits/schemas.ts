import Joi from 'joi';

import { violationKinds } from './violation-kinds.ts';
import { idSchema } from '../../src/ids.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { defaultTiers, tierLimitsSchema } from '../tenants/api.ts';

const time = () => Joi.string().isoDate();
const count = () => Joi.number().integer().min(0);

export const tiersAnswer = Joi.object({
    tiers: Joi.array()
        .items(Joi.object({ name: Joi.string(), limits: tierLimitsSchema }).label('Tier'))
        .label('Tiers'),
    own: Joi.object({
        tier: Joi.string(),
        plan: Joi.string().description('of the tenant: its quotas are those of the plan'),
        limits: tierLimitsSchema,
    })
        .description('your own position, with the figures that were set for your tenant')
        .label('OwnTier'),
}).label('TiersData');

export const tiersExample = {
    tiers: Object.entries(defaultTiers).map(([name, limits]) => ({ name, limits })),
    own: { tier: 'free', plan: 'free', limits: defaultTiers.free },
};

export const usageAnswer = Joi.object({
    usage: Joi.object({
        requestsThisMonth: Joi.object({
            used: count(),
            limit: count().allow(null).description('null: no limit'),
            resetsAt: time(),
        })
            .description('of the tenant')
            .label('RequestQuota'),
        relayedBytesThisMonth: Joi.object({
            used: count(),
            limit: count().allow(null).description('null: no limit'),
            resetsAt: time(),
        })
            .description('of the tenant, through tunnels and proxies, both ways; up to some seconds late')
            .label('RelayQuota'),
        generations: Joi.object({ running: count(), limit: count() }).label('GenerationSlots'),
        tier: Joi.string(),
        limits: tierLimitsSchema,
    }).label('OwnUsage'),
}).label('OwnUsageData');

export const usageExample = {
    usage: {
        requestsThisMonth: { used: 1_234, limit: 10_000, resetsAt: '2026-12-01T00:00:00.000Z' },
        relayedBytesThisMonth: { used: 52_428_800, limit: 1_073_741_824, resetsAt: '2026-12-01T00:00:00.000Z' },
        generations: { running: 1, limit: 3 },
        tier: 'free',
        limits: defaultTiers.free,
    },
};

export interface ViolationQuery {
    tenantId?: string;
}

export const violationQuery = Joi.object<ViolationQuery>({
    tenantId: Joi.alternatives(idSchema('tenant'), Joi.string().valid(PLATFORM))
        .example('tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC')
        .description('those of all tenants together unless given; those of IP addresses are the tenant `platform`’s'),
}).label('ViolationQuery');

const violationSchema = Joi.object({
    kind: Joi.string().valid(...violationKinds),
    at: time(),
    userId: Joi.string().allow(null),
    keyId: Joi.string().allow(null),
    ipAddress: Joi.string().allow(null),
    route: Joi.string().allow(null),
}).label('Violation');

export const violationsAnswer = Joi.object({
    violations: Joi.object({
        tenantId: Joi.string().allow(null).description('null: of all tenants'),
        days: Joi.array()
            .items(
                Joi.object({
                    date: Joi.string().description('in UTC'),
                    counts: Joi.object(Object.fromEntries(violationKinds.map((kind) => [kind, count()]))).label(
                        'ViolationKinds',
                    ),
                }).label('ViolationDay'),
            )
            .label('ViolationDays'),
        recent: Joi.array()
            .items(violationSchema)
            .label('RecentViolations')
            .description('of one tenant: the newest first')
            .optional(),
        tenants: Joi.array()
            .items(
                Joi.object({
                    tenantId: Joi.string(),
                    tenantName: Joi.string().allow(null).description('null once the tenant is purged'),
                    count: count(),
                }).label('ViolationCount'),
            )
            .label('ViolationCounts')
            .description('of all tenants: the 20 with the most, of those that were among the 20 first of one day')
            .optional(),
    }).label('Violations'),
}).label('ViolationsData');

export const violationsExample = {
    violations: {
        tenantId: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
        days: [{ date: '2026-11-20', counts: { user: 1, route: 0, key: 0, address: 0, quota: 0, concurrency: 0 } }],
        recent: [
            {
                kind: 'user',
                at: '2026-11-20T10:30:00.000Z',
                userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
                keyId: null,
                ipAddress: null,
                route: 'get /api/threads',
            },
        ],
    },
};
