import Joi from 'joi';

import { JOB_STATES } from '../../src/jobs/job-list.ts';

import type { JobQuery } from './job-service.ts';

const state = () => Joi.string().valid(...JOB_STATES);
const jobId = () =>
    Joi.string()
        .pattern(/^(maintenance|deliveries):[\w.:-]{1,300}$/, 'job id')
        .example('maintenance:purge-user-17');

const jobSchema = Joi.object({
    id: Joi.string(),
    queue: Joi.string().valid('maintenance', 'deliveries'),
    name: Joi.string(),
    tenantId: Joi.string(),
    state: state(),
    attempts: Joi.number().integer(),
    error: Joi.string().allow(null).description('of the last try, in one line'),
    addedAt: Joi.string().isoDate(),
    finishedAt: Joi.string().isoDate().allow(null).description('when the last try ended'),
}).label('Job');

const failed = {
    id: 'maintenance:purge-user-17',
    queue: 'maintenance',
    name: 'purge-user',
    tenantId: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    state: 'failed',
    attempts: 16,
    error: 'The tenant is being restored from a backup.',
    addedAt: '2026-11-18T10:30:00.000Z',
    finishedAt: '2026-11-20T10:30:00.000Z',
};

export const jobsAnswer = Joi.object({
    jobs: Joi.array().items(jobSchema).label('Jobs'),
    counts: Joi.object(Object.fromEntries(JOB_STATES.map((name) => [name, Joi.number().integer()])))
        .description('of all queues, by state')
        .label('JobCounts'),
}).label('JobsData');

export const jobsExample = {
    jobs: [failed],
    counts: { waiting: 0, active: 1, delayed: 14, failed: 1, completed: 902 },
};

export const jobAnswer = Joi.object({ job: jobSchema }).label('JobData');
export const jobExample = { job: { ...failed, state: 'waiting', attempts: 0, error: null, finishedAt: null } };

export const jobQuery = Joi.object<JobQuery>({
    state: state().default('failed'),
    limit: Joi.number().integer().min(1).max(100).default(20),
    cursor: Joi.string().max(1024).description('the cursor of the page before'),
}).label('JobQuery');

export interface JobParams {
    jobId: string;
}

export const jobParams = Joi.object<JobParams>({ jobId: jobId().required() }).label('JobParams');
