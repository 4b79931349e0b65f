import Joi from 'joi';

import { idSchema } from '../../src/ids.ts';

import type { ServerSentEvent } from '../../src/http/sse.ts';

export interface ModelParams {
    modelId: string;
}

export const modelParams = Joi.object<ModelParams>({
    modelId: Joi.string().max(200).required().example('gemma-2b-local').description('an id or an alias'),
}).label('ModelParams');

export interface LoadQuery {
    jobId: string;
}

export const loadQuery = Joi.object<LoadQuery>({ jobId: idSchema('job').required() }).label('LoadQuery');

export interface ResumeLoadHeaders {
    'last-event-id'?: number;
}

export const resumeLoadHeaders = Joi.object<ResumeLoadHeaders>({
    'last-event-id': Joi.number()
        .integer()
        .min(0)
        .max(1e9)
        .description('the `id` of the last event that the client has'),
})
    .unknown()
    .label('ResumeLoadHeaders');

const JOB_ID = 'job_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
const percent = () => Joi.number().integer().min(0).max(100).allow(null);

export const statusAnswer = Joi.object({
    modelId: Joi.string(),
    status: Joi.string().valid('not_loaded', 'loading', 'loaded', 'error', 'unavailable'),
    loadProgress: percent().description('per cent; null where nobody knows it'),
    memoryUsage: Joi.string().allow(null).description('of a loaded local model, 1 GB being 1,024³ bytes'),
    lastLoaded: Joi.string().isoDate().allow(null).description('when it was last loaded by a request to load it'),
    estimatedLoadTime: Joi.number().integer().allow(null).description('seconds that the last load took'),
    reason: Joi.string().allow(null).description('the error code of why it is unavailable or could not be loaded'),
    jobId: idSchema('job').allow(null).description('of the load that runs'),
}).label('ModelStatus');

export const statusExample = {
    modelId: 'gemma-2b-local',
    status: 'loaded',
    loadProgress: 100,
    memoryUsage: '2.1GB',
    lastLoaded: '2026-11-20T09:30:00.000Z',
    estimatedLoadTime: null,
    reason: null,
    jobId: null,
};

export const loadAnswer = Joi.object({
    modelId: Joi.string(),
    jobId: idSchema('job'),
    status: Joi.string().valid('loading'),
    estimatedTime: Joi.number().integer().allow(null).description('seconds that the last load took'),
}).label('ModelLoad');

export const loadExample = { modelId: 'gemma-2b-local', jobId: JOB_ID, status: 'loading', estimatedTime: 4 };

export const unloadAnswer = Joi.object({
    modelId: Joi.string(),
    status: Joi.string().valid('not_loaded'),
}).label('ModelUnload');

export const unloadExample = { modelId: 'gemma-2b-local', status: 'not_loaded' };

export const progressSchema = Joi.object({
    modelId: Joi.string(),
    jobId: idSchema('job'),
    phase: Joi.string().valid('pulling', 'loading'),
    loadProgress: percent(),
    completedBytes: Joi.number().integer().allow(null),
    totalBytes: Joi.number().integer().allow(null),
}).label('LoadProgress');

const ids = { modelId: 'gemma-2b-local', jobId: JOB_ID };

export const progressExample = {
    ...ids,
    phase: 'pulling',
    loadProgress: 41,
    completedBytes: 687_865_856,
    totalBytes: 1_678_447_520,
};

export const loadEventsExample: ServerSentEvent[] = [
    { id: '42', event: 'progress', data: progressExample },
    { id: '101', event: 'progress', data: { ...progressExample, phase: 'loading', loadProgress: 99 } },
    { id: '102', event: 'complete', data: { ...ids, status: 'loaded', loadProgress: 100 } },
];
