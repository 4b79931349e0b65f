import Joi from 'joi';

import { catalogue } from '../../src/http/errors.ts';

export const liveAnswer = Joi.object({ status: Joi.string().valid('alive') }).label('LiveData');
export const readyAnswer = Joi.object({ status: Joi.string().valid('ready') }).label('ReadyData');

const providerStatus = Joi.object({
    status: Joi.string().valid('reachable', 'unreachable', 'not_configured', 'loaded'),
    models: Joi.array()
        .items(Joi.object({ model: Joi.string(), memoryBytes: Joi.number().integer() }).label('LoadedModel'))
        .optional()
        .label('LoadedModels'),
}).label('ProviderStatus');

export const healthAnswer = Joi.object({
    status: Joi.string().valid('healthy', 'degraded', 'unhealthy'),
    uptime: Joi.number().integer().description('seconds'),
    services: Joi.object({
        database: Joi.object({
            status: Joi.string().valid('healthy', 'unhealthy'),
            provider: Joi.string().valid('redis'),
            latency: Joi.number().allow(null).description('milliseconds'),
            memory: Joi.object({
                used: Joi.number().allow(null).description('part of its limit, 0 to 1; null where there is none'),
                isFull: Joi.boolean().description('what makes new data is refused with STORE_FULL'),
            }).label('DatabaseMemory'),
        }).label('DatabaseHealth'),
        ollama: providerStatus,
        externalApis: Joi.object().pattern(Joi.string(), Joi.string()).label('ExternalApis'),
    }).label('Services'),
    circuits: Joi.object()
        .pattern(
            Joi.string(),
            Joi.object({
                state: Joi.string().valid('closed', 'open', 'half_open'),
                failures: Joi.number().integer().description('in a row'),
                retryAt: Joi.string().isoDate().allow(null).description('when an open one lets a call through'),
            }).label('Circuit'),
        )
        .description('by provider: an open one refuses calls with CIRCUIT_OPEN')
        .label('Circuits'),
    maintenance: Joi.object({ isOn: Joi.boolean(), message: Joi.string().allow(null) })
        .description('while it is on, the API refuses with MAINTENANCE')
        .label('MaintenanceState'),
    version: Joi.string(),
    environment: Joi.string(),
}).label('HealthData');

export const healthExample = {
    status: 'healthy',
    uptime: 86_400,
    services: {
        database: { status: 'healthy', provider: 'redis', latency: 0.4, memory: { used: 0.42, isFull: false } },
        ollama: { status: 'loaded', models: [{ model: 'gemma:2b', memoryBytes: 2_254_857_830 }] },
        externalApis: { openai: 'reachable' },
    },
    circuits: { openai: { state: 'closed', failures: 0, retryAt: null } },
    maintenance: { isOn: false, message: null },
    version: '0.1.0',
    environment: 'production',
};

export const versionAnswer = Joi.object({
    version: Joi.string(),
    buildTime: Joi.string().isoDate().allow(null),
    commit: Joi.string(),
    environment: Joi.string(),
}).label('VersionData');

export const versionExample = {
    version: '0.1.0',
    buildTime: '2026-11-20T08:00:00.000Z',
    commit: 'abc123def456',
    environment: 'production',
};

export const errorsAnswer = Joi.object({
    errors: Joi.array()
        .items(
            Joi.object({
                code: Joi.string(),
                status: Joi.number().integer(),
                category: Joi.string(),
                message: Joi.string(),
                suggestion: Joi.string(),
            }).label('CatalogueEntry'),
        )
        .label('Catalogue'),
}).label('ErrorsData');

export const errorsExample = { errors: [{ code: 'THREAD_NOT_FOUND', ...catalogue.THREAD_NOT_FOUND }] };
