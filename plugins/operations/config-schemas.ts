import Joi from 'joi';

import { defaultTiers, tierChangesSchema, tierLimitsSchema } from '../tenants/api.ts';

import type { ConfigChanges, PlatformConfig } from './api.ts';

const registration = () => Joi.string().valid('open', 'closed');

const ofTiers = (figures: Joi.ObjectSchema) => ({ free: figures, premium: figures, enterprise: figures });

const configSchema = Joi.object({
    registration: registration(),
    maintenance: Joi.object({
        isOn: Joi.boolean().description('nobody but platform admins is served'),
        message: Joi.string().allow(null).description('told to those who are refused, as `details.message`'),
    }).label('Maintenance'),
    limits: Joi.object(ofTiers(tierLimitsSchema)).label('TierTable').description('the tiers in force'),
    revision: Joi.number().integer().description('0: nothing was ever set'),
    updatedAt: Joi.string().isoDate().allow(null),
}).label('PlatformConfig');

export const configAnswer = Joi.object({ config: configSchema }).label('PlatformConfigData');

export const configExample: { config: PlatformConfig } = {
    config: {
        registration: 'open',
        maintenance: { isOn: false, message: null },
        limits: defaultTiers,
        revision: 3,
        updatedAt: '2026-11-20T10:30:00.000Z',
    },
};

export const updateConfigPayload = Joi.object<ConfigChanges>({
    registration: registration().allow(null).description('null: what the setting REGISTRATION says'),
    maintenance: Joi.object({
        isOn: Joi.boolean().strict(),
        message: Joi.string().trim().min(1).max(500).allow(null),
    })
        .min(1)
        .label('MaintenanceChanges'),
    limits: Joi.object(ofTiers(tierChangesSchema)).min(1).label('TierTableChanges'),
})
    .min(1)
    .example({ maintenance: { isOn: true, message: 'Back at 14:00 UTC' }, limits: { free: { tunnels: 5 } } })
    .label('UpdatePlatformConfig');
