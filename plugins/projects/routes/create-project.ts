import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { createProjectPayload, projectAnswer, projectExample, type CreateProject } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Projects } from '../service.ts';

export const createProject = (projects: Projects): ServerRoute<{ Payload: CreateProject }> => ({
    method: 'POST',
    path: '/api/projects',
    options: {
        ...describeRoute('Create a project', {
            tag: 'projects',
            notes: 'Its name is yours alone among your projects, whether in upper or in lower case.',
            answer: projectAnswer,
            example: { project: projectExample },
            status: 201,
            errors: ['NAME_TAKEN', 'QUOTA_EXCEEDED'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'project:write' } },
        validate: { payload: createProjectPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const project = await projects.create(auth.credentials.actor, payload);
        return h.response({ project }).etag(etagOf(project));
    },
});
