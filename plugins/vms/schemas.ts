import Joi from 'joi';

import { instanceTypeNames } from './instance-types.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';
import { decimalSchema, microsSchema } from '../../src/money.ts';
import { resourceName } from '../projects/api.ts';

import type { VmStatus } from './api.ts';
import type { Pricing } from './pricing.ts';
import type { PublicVm } from './public-vm.ts';

const STATUSES: VmStatus[] = ['creating', 'running', 'stopped', 'error'];
const OPERATIONS = ['create', 'start', 'stop', 'restart', 'remove'];
const time = () => Joi.string().isoDate();

export interface VmParams {
    vmId: string;
}

export const vmParams = Joi.object<VmParams>({ vmId: idSchema('vm').required() }).label('VmParams');

export interface CreateVm {
    name: string;
    projectId: string;
    instanceType: string;
    image: string;
}

export const createVmPayload = (images: string[]) =>
    Joi.object<CreateVm>({
        name: resourceName().required(),
        projectId: idSchema('project').required(),
        instanceType: Joi.string()
            .valid(...instanceTypeNames)
            .required(),
        image: Joi.string()
            .valid(...images)
            .required(),
    })
        .example({
            name: 'database',
            projectId: 'project_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            instanceType: 'small',
            image: images[0],
        })
        .label('CreateVm');

export interface RenameVm {
    name: string;
}

export const renameVmPayload = Joi.object<RenameVm>({ name: resourceName().required() })
    .example({ name: 'database-2' })
    .label('RenameVm');

export interface VmQuery extends PageParams {
    projectId?: string;
    status?: VmStatus;
}

export const vmQuery = Joi.object<VmQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    projectId: idSchema('project'),
    status: Joi.string().valid(...STATUSES),
}).label('VmQuery');

const specs = Joi.object<PublicVm['specs']>({
    vcpus: Joi.number().integer(),
    memoryGb: Joi.number().integer(),
    diskGb: Joi.number().integer(),
}).label('VmSpecs');

const pending = Joi.object({
    operation: Joi.string().valid(...OPERATIONS),
    id: Joi.string(),
    since: time(),
})
    .allow(null)
    .description('the operation that was asked for and has not ended yet')
    .label('PendingOperation');

const vmSchema = Joi.object<PublicVm>({
    id: Joi.string(),
    name: Joi.string(),
    projectId: Joi.string(),
    userId: Joi.string(),
    instanceType: Joi.string(),
    image: Joi.string(),
    specs,
    status: Joi.string().valid(...STATUSES),
    pending,
    driver: Joi.string().description('what runs it'),
    isSimulated: Joi.boolean().description('there is no machine behind it: it is for trying the API out'),
    ipAddress: Joi.string().allow(null),
    hourlyMicros: microsSchema().description('of an hour that it runs'),
    hourly: decimalSchema(),
    costMicros: microsSchema().description('so far, with its creation'),
    cost: decimalSchema(),
    startedAt: time().allow(null),
    uptimeSeconds: Joi.number().integer().min(0),
    errorReason: Joi.string().allow(null),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Vm');

export const vmAnswer = Joi.object({ vm: vmSchema }).label('VmData');
export const vmsAnswer = Joi.object({ vms: Joi.array().items(vmSchema).label('Vms') }).label('VmsData');

const pricedType = Joi.object<Pricing['instanceTypes'][number]>({
    name: Joi.string(),
    specs,
    hourlyMicros: microsSchema(),
    hourly: decimalSchema(),
}).label('InstanceType');

export const pricingAnswer = Joi.object({
    pricing: Joi.object<Pricing>({
        currency: Joi.string().valid('USD'),
        instanceTypes: Joi.array().items(pricedType).label('InstanceTypes'),
        creationMicros: microsSchema().description('once, for each VM that is created'),
        creation: decimalSchema(),
        images: Joi.array().items(Joi.string()).label('Images'),
    }).label('VmPricing'),
}).label('VmPricingData');

export const vmExample: PublicVm = {
    id: 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'database',
    projectId: 'project_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    instanceType: 'small',
    image: 'debian-13',
    specs: { vcpus: 1, memoryGb: 1, diskGb: 20 },
    status: 'running',
    pending: null,
    driver: 'simulator',
    isSimulated: true,
    ipAddress: '10.64.0.7',
    hourlyMicros: 50_000,
    hourly: '0.050000',
    costMicros: 62_500,
    cost: '0.062500',
    startedAt: '2026-11-20T10:30:02.000Z',
    uptimeSeconds: 900,
    errorReason: null,
    revision: 2,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:02.000Z',
};

const OPERATION_ID = 'op_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

/** The same while an operation is pending. */
export const pendingExample = (operation: 'create' | 'start' | 'stop' | 'restart' | 'remove'): PublicVm => ({
    ...vmExample,
    ...(operation === 'create' && { status: 'creating', revision: 1, costMicros: 50_000, cost: '0.050000' }),
    ...(operation === 'start' && { status: 'stopped' }),
    ...((operation === 'create' || operation === 'start') && { startedAt: null, uptimeSeconds: 0, ipAddress: null }),
    pending: { operation, id: OPERATION_ID, since: '2026-11-20T10:45:00.000Z' },
});
