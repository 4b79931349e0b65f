import Joi from 'joi';

import { resourceName } from './resource-name.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { Project, ProjectView } from './api.ts';

const description = () => Joi.string().trim().min(1).max(1_000).allow(null);
const time = () => Joi.string().isoDate();
const micros = () => Joi.number().integer().min(0);
const decimal = () => Joi.string();

export interface ProjectParams {
    projectId: string;
}

export const projectParams = Joi.object<ProjectParams>({ projectId: idSchema('project').required() }).label(
    'ProjectParams',
);

export interface CreateProject {
    name: string;
    description: string | null;
}

export const createProjectPayload = Joi.object<CreateProject>({
    name: resourceName().required(),
    description: description().default(null),
})
    .example({ name: 'web-shop', description: 'The shop and its database' })
    .label('CreateProject');

export type UpdateProject = Partial<CreateProject>;

export const updateProjectPayload = Joi.object<UpdateProject>({ name: resourceName(), description: description() })
    .min(1)
    .example({ description: 'The shop, its database and its cache' })
    .label('UpdateProject');

export const projectQuery = Joi.object<PageParams>(pageParams({ usual: 20, most: 100 })).label('ProjectQuery');

const projectSchema = Joi.object<Project>({
    id: Joi.string(),
    userId: Joi.string(),
    name: Joi.string(),
    description: Joi.string().allow(null),
    status: Joi.string().valid('active', 'deleting'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Project');

const projectVm = Joi.object<ProjectView['vms'][number]>({
    id: Joi.string(),
    name: Joi.string(),
    instanceType: Joi.string(),
    image: Joi.string(),
    status: Joi.string(),
    isSimulated: Joi.boolean(),
    ipAddress: Joi.string().allow(null),
    hourlyMicros: micros(),
    hourly: decimal(),
    costMicros: micros(),
    cost: decimal(),
    createdAt: time(),
}).label('ProjectVm');

const statistics = Joi.object<ProjectView['statistics']>({
    vmCount: Joi.number().integer(),
    running: Joi.number().integer(),
    stopped: Joi.number().integer(),
    error: Joi.number().integer(),
    creating: Joi.number().integer(),
    totalCostMicros: micros().description('of the VMs that there are, so far'),
    totalCost: decimal(),
    hourlyCostMicros: micros().description('of the VMs that run'),
    hourlyCost: decimal(),
}).label('ProjectStatistics');

export const projectAnswer = Joi.object({ project: projectSchema }).label('ProjectData');
export const projectsAnswer = Joi.object({ projects: Joi.array().items(projectSchema).label('Projects') }).label(
    'ProjectsData',
);
export const projectViewAnswer = Joi.object({
    project: projectSchema,
    vms: Joi.array().items(projectVm).description('the newest hundred').label('ProjectVms'),
    statistics,
}).label('ProjectViewData');
export const deletedProjectAnswer = Joi.object({
    project: Joi.object({ id: Joi.string(), status: Joi.string().valid('deleted', 'deleting') }).label(
        'DeletedProject',
    ),
}).label('DeletedProjectData');

export const projectExample: Project = {
    id: 'project_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'web-shop',
    description: 'The shop and its database',
    status: 'active',
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const projectViewExample: { project: Project } & ProjectView = {
    project: projectExample,
    vms: [
        {
            id: 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            name: 'database',
            instanceType: 'small',
            image: 'debian-13',
            status: 'running',
            isSimulated: true,
            ipAddress: '10.90.0.7',
            hourlyMicros: 50_000,
            hourly: '0.050000',
            costMicros: 62_500,
            cost: '0.062500',
            createdAt: '2026-11-20T10:30:00.000Z',
        },
    ],
    statistics: {
        vmCount: 1,
        running: 1,
        stopped: 0,
        error: 0,
        creating: 0,
        totalCostMicros: 62_500,
        totalCost: '0.062500',
        hourlyCostMicros: 50_000,
        hourlyCost: '0.050000',
    },
};
