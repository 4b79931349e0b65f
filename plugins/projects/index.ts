import { createProject } from './routes/create-project.ts';
import { deleteProject } from './routes/delete-project.ts';
import { getProject } from './routes/get-project.ts';
import { listProjects } from './routes/list-projects.ts';
import { updateProject } from './routes/update-project.ts';
import { Projects } from './service.ts';
import { ProjectStore } from './store.ts';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const projects: Plugin<Platform> = {
    name: 'projects',
    dependencies: ['auth', 'idempotency', 'tenants', 'users'],
    register: (server, { store, vault, jobs, logger }) => {
        const { tenants, users } = server.plugins;
        const projectStore = new ProjectStore(store, vault, (tenantId) => tenants.key(tenantId));
        const service = new Projects({ store: projectStore, tiers: tenants.tiers, jobs, logger });
        server.expose(service);
        users.onPurge((tenantId, userId) => service.purge(tenantId, userId));
        server.route(createProject(service));
        server.route(listProjects(service));
        server.route(getProject(service));
        server.route(updateProject(service));
        server.route(deleteProject(service));
    },
};
