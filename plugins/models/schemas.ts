import Joi from 'joi';

export const modelSchema = Joi.object({
    id: Joi.string(),
    name: Joi.string(),
    provider: Joi.string().valid('anthropic', 'openai', 'google', 'ollama', 'sandbox'),
    aliases: Joi.array().items(Joi.string()).label('Aliases'),
    apiKeyRequired: Joi.string().valid('claude', 'openai', 'google').allow(null),
    requiresLoading: Joi.boolean(),
    capabilities: Joi.array().items(Joi.string()).label('Capabilities'),
    contextLength: Joi.number().integer().description('tokens'),
    maxOutput: Joi.number().integer().allow(null).description('tokens'),
    pricing: Joi.object({
        input: Joi.number().integer().allow(null),
        output: Joi.number().integer().allow(null),
        unit: Joi.string().valid('microsPerMillionTokens'),
    })
        .allow(null)
        .description('micro-dollars per million tokens today')
        .label('Pricing'),
    temperatureRange: Joi.object({
        min: Joi.number(),
        max: Joi.number(),
        step: Joi.number(),
        default: Joi.number(),
    })
        .allow(null)
        .label('TemperatureRange'),
    usable: Joi.boolean(),
    reason: Joi.string().allow(null).description('the error code a call would be refused with'),
}).label('Model');

export const modelsAnswer = Joi.object({ models: Joi.array().items(modelSchema).label('Models') }).label('ModelsData');

export const modelExample = {
    id: 'sandbox',
    name: 'Sandbox (built in, deterministic)',
    provider: 'sandbox',
    aliases: [],
    apiKeyRequired: null,
    requiresLoading: false,
    capabilities: ['text'],
    contextLength: 32768,
    maxOutput: 4096,
    pricing: null,
    temperatureRange: { min: 0, max: 1, step: 0.1, default: 0.7 },
    usable: true,
    reason: null,
};
