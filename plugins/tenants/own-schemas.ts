import Joi from 'joi';

import { tenantExample, tenantSettingsSchema } from './schemas.ts';

import type { OwnTenant, OwnTenantChanges } from './own-service.ts';

const { id, name, domain, status, plan, revision, createdAt, updatedAt } = tenantExample;

export const ownTenantAnswer = Joi.object({
    tenant: Joi.object({
        id: Joi.string(),
        name: Joi.string(),
        domain: Joi.string(),
        status: Joi.string().valid('active', 'suspended', 'deleted'),
        plan: Joi.string().valid('free', 'premium', 'enterprise'),
        settings: tenantSettingsSchema.label('OwnTenantSettings'),
        revision: Joi.number().integer(),
        createdAt: Joi.string().isoDate(),
        updatedAt: Joi.string().isoDate(),
    }).label('OwnTenant'),
}).label('OwnTenantData');

export const ownTenantExample = {
    id,
    name,
    domain,
    status,
    plan,
    settings: { onDisconnect: 'finish', fallbackModels: ['sandbox'] },
    revision,
    createdAt,
    updatedAt,
} satisfies Record<keyof OwnTenant, unknown>;

export const updateOwnTenantPayload = Joi.object<OwnTenantChanges>({
    name: Joi.string().trim().min(1).max(100).example('Acme'),
    settings: Joi.object({
        onDisconnect: Joi.string().valid('finish', 'cancel'),
        fallbackModels: Joi.array()
            .items(Joi.string().max(200))
            .max(3)
            .description('ids or aliases of models; an empty list takes them away')
            .label('TenantFallbackModels'),
    })
        .min(1)
        .label('UpdateTenantSettings'),
})
    .min(1)
    .example({ settings: { fallbackModels: ['sandbox'] } })
    .label('UpdateOwnTenant');
