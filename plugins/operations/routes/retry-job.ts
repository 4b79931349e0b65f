import { describeRoute } from '../../../src/http/describe-route.ts';
import { jobAnswer, jobExample, jobParams, type JobParams } from '../job-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { JobService } from '../job-service.ts';

export const retryJob = (jobs: JobService): ServerRoute<{ Params: JobParams }> => ({
    method: 'POST',
    path: '/api/admin/jobs/{jobId}/retry',
    options: {
        ...describeRoute('Have a failed job tried again', {
            tag: 'admin',
            notes: 'As often as a new one. Of several at once exactly one is taken.',
            answer: jobAnswer,
            example: jobExample,
            status: 202,
            errors: ['JOB_NOT_FOUND', 'JOB_NOT_FAILED'],
        }),
        auth: { access: { scope: 'platform:recover' } },
        validate: { params: jobParams },
    },
    handler: async ({ auth, params }) => ({ job: await jobs.retry(auth.credentials.actor, params.jobId) }),
});
