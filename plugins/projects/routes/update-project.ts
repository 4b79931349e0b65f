import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    projectAnswer,
    projectExample,
    projectParams,
    updateProjectPayload,
    type ProjectParams,
    type UpdateProject,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Projects } from '../service.ts';

export const updateProject = (projects: Projects): ServerRoute<{ Params: ProjectParams; Payload: UpdateProject }> => ({
    method: 'PATCH',
    path: '/api/projects/{projectId}',
    options: {
        ...describeRoute('Change a project', {
            tag: 'projects',
            answer: projectAnswer,
            example: { project: { ...projectExample, name: 'shop', revision: 2 } },
            errors: ['PROJECT_NOT_FOUND', 'REVISION_MISMATCH', 'NAME_TAKEN', 'PROJECT_DELETING'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'project:write' } },
        validate: { params: projectParams, payload: updateProjectPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const project = await projects.update(actor, params.projectId, payload, revisionOf(headers));
        return h.response({ project }).etag(etagOf(project));
    },
});
