import Joi from 'joi';

export const tenantSchema = Joi.object({
    id: Joi.string(),
    name: Joi.string(),
    domain: Joi.string(),
    status: Joi.string().valid('active', 'suspended', 'deleted'),
    plan: Joi.string().valid('free', 'premium', 'enterprise'),
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
    suspendedReason: null,
    epoch: null,
    deletedAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};
