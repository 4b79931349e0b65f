import Joi from 'joi';

import type { TierLimits } from './tiers.ts';

const count = (least = 0) => Joi.number().integer().min(least).max(Number.MAX_SAFE_INTEGER);
const unlimited = (what: string) => count().allow(null).description(`${what}; null: no limit`);

const figures: Record<keyof TierLimits, Joi.Schema> = {
    requestsPerMinute: count(1).description('of a user'),
    requestsPerMonth: unlimited('of the tenant'),
    concurrentGenerations: count().description('of a user'),
    tunnels: unlimited('of the tenant'),
    proxies: unlimited('of the tenant'),
    replicasPerProxy: count(),
    relayedBytesPerMonth: unlimited('of the tenant'),
    projects: unlimited('of a user'),
    vms: unlimited('of a user'),
    apiKeys: count().description('of a user'),
    auditRetentionDays: count(1),
};

/** What a tier allows. */
export const tierLimitsSchema = Joi.object<TierLimits>(figures).label('TierLimits');

/** The figures that a platform admin may set for one tenant. */
export const limitOverridesSchema = Joi.object<Partial<TierLimits>>(
    Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, figure.optional()])),
).label('LimitOverrides');

/** How they are changed one by one. */
export const limitChangesSchema = limitOverridesSchema
    .fork(Object.keys(figures), (figure) => figure.allow(null).description('null: that of the tier again'))
    .min(1)
    .label('LimitChanges');

/** How the figures of a tier are changed one by one. */
export const tierChangesSchema = limitOverridesSchema
    .fork(Object.keys(figures), (figure) => figure.allow(null).description('null: the default again'))
    .min(1)
    .label('TierChanges');

/** What a tenant's admin has set for its users. */
export const tenantSettingsSchema = Joi.object({
    onDisconnect: Joi.string()
        .valid('finish', 'cancel')
        .description('what happens to an answer when its client goes away'),
    fallbackModels: Joi.array()
        .items(Joi.string())
        .description('answer in this order when the model fails before its first word')
        .label('TenantModels'),
}).label('TenantSettings');

export const tenantSchema = Joi.object({
    id: Joi.string(),
    name: Joi.string(),
    domain: Joi.string(),
    status: Joi.string().valid('active', 'suspended', 'deleted'),
    plan: Joi.string().valid('free', 'premium', 'enterprise'),
    limits: limitOverridesSchema.allow(null).description('figures that go before those of the tiers'),
    settings: tenantSettingsSchema.allow(null).description('null: nothing was set'),
    suspendedReason: Joi.string().allow(null),
    epoch: Joi.string().isoDate().allow(null).description('sessions that began before are over'),
    deletedAt: Joi.string().isoDate().allow(null),
    revision: Joi.number().integer(),
    createdAt: Joi.string().isoDate(),
    updatedAt: Joi.string().isoDate(),
}).label('Tenant');

export const tenantExample = {
    id: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'Acme',
    domain: 'acme.example',
    status: 'active',
    plan: 'free',
    limits: null,
    settings: null,
    suspendedReason: null,
    epoch: null,
    deletedAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};
