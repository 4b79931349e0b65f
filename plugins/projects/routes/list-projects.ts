import { describeRoute } from '../../../src/http/describe-route.ts';
import { projectExample, projectQuery, projectsAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { Projects } from '../service.ts';

export const listProjects = (projects: Projects): ServerRoute<{ Query: PageParams }> => ({
    method: 'GET',
    path: '/api/projects',
    options: {
        ...describeRoute('List your projects', {
            tag: 'projects',
            answer: projectsAnswer,
            example: { projects: [projectExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'project:read' } },
        validate: { query: projectQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const page = await projects.list(auth.credentials.actor, { ...query, direction, order: 'created' });
        return { projects: page.items, pagination: page.pagination };
    },
});
