import { describeRoute } from '../../../src/http/describe-route.ts';
import { jobQuery, jobsAnswer, jobsExample } from '../job-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { JobQuery, JobService } from '../job-service.ts';

const NOTES = `The newest first. What changes its state while pages are read may be missed or come twice. Deliveries are not
kept when they are done: see those of the webhook.`;

export const listJobs = (jobs: JobService): ServerRoute<{ Query: JobQuery }> => ({
    method: 'GET',
    path: '/api/admin/jobs',
    options: {
        ...describeRoute('The jobs in one state, and how many there are', {
            tag: 'admin',
            notes: NOTES,
            answer: jobsAnswer,
            example: jobsExample,
            isPage: true,
            errors: ['INVALID_CURSOR'],
        }),
        auth: { access: { scope: 'platform:read' } },
        validate: { query: jobQuery },
    },
    handler: ({ auth, query }) => jobs.list(auth.credentials.actor, query),
});
