import Joi from 'joi';

export const userSchema = Joi.object({
    id: Joi.string(),
    username: Joi.string(),
    email: Joi.string(),
    displayName: Joi.string(),
    role: Joi.string().valid('admin', 'user', 'superadmin', 'support', 'finance'),
    tier: Joi.string().valid('free', 'premium', 'enterprise').allow(null),
    isActive: Joi.boolean(),
    deletedAt: Joi.string().isoDate().allow(null),
    revision: Joi.number().integer(),
    createdAt: Joi.string().isoDate(),
    updatedAt: Joi.string().isoDate(),
}).label('User');

export const userExample = {
    id: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    username: 'ada@acme.example',
    email: 'ada@acme.example',
    displayName: 'Ada',
    role: 'admin',
    tier: null,
    isActive: true,
    deletedAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};
