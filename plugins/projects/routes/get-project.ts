import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { projectParams, projectViewAnswer, projectViewExample, type ProjectParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Projects } from '../service.ts';

export const getProject = (projects: Projects): ServerRoute<{ Params: ProjectParams }> => ({
    method: 'GET',
    path: '/api/projects/{projectId}',
    options: {
        ...describeRoute('Get a project with its VMs', {
            tag: 'projects',
            notes: 'The statistics are those of all its VMs; of the VMs themselves, the newest hundred are shown.',
            answer: projectViewAnswer,
            example: projectViewExample,
            errors: ['PROJECT_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'project:read' } },
        validate: { params: projectParams },
    },
    handler: async ({ auth, params }, h) => {
        const view = await projects.view(auth.credentials.actor, params.projectId);
        return h.response(view).etag(etagOf(view.project));
    },
});
