import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { deletedProjectAnswer, projectExample, projectParams, type ProjectParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Projects } from '../service.ts';

const NOTES = `Its VMs are terminated first: until they are, the project is \`deleting\`, and no VM can be made in it.`;

export const deleteProject = (projects: Projects): ServerRoute<{ Params: ProjectParams }> => ({
    method: 'DELETE',
    path: '/api/projects/{projectId}',
    options: {
        ...describeRoute('Delete a project with its VMs', {
            tag: 'projects',
            notes: NOTES,
            answer: deletedProjectAnswer,
            example: { project: { id: projectExample.id, status: 'deleting' } },
            errors: ['PROJECT_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'project:write' } },
        validate: { params: projectParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => ({
        project: await projects.delete(auth.credentials.actor, params.projectId, revisionOf(headers)),
    }),
});
