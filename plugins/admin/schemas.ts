import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';
import {
    limitChangesSchema,
    tenantExample,
    tenantSchema,
    type Plan,
    type Tenant,
    type TenantChanges,
} from '../tenants/api.ts';
import { userExample, userSchema } from '../users/api.ts';

export interface TenantParams {
    tenantId: string;
}

export interface SuspendTenant {
    reason: string;
}

export const tenantParams = Joi.object<TenantParams>({ tenantId: idSchema('tenant').required() }).label('TenantParams');

export const suspendTenantPayload = Joi.object<SuspendTenant>({
    reason: Joi.string().trim().min(1).max(500).required().example('Payment overdue'),
})
    .example({ reason: 'Payment overdue' })
    .label('SuspendTenant');

export const tenantAnswer = Joi.object({ tenant: tenantSchema }).label('TenantData');

export const tenantsAnswer = Joi.object({ tenants: Joi.array().items(tenantSchema).label('Tenants') }).label(
    'TenantsData',
);

export interface TenantListQuery extends PageParams {
    q?: string;
    status?: Tenant['status'];
    plan?: Plan;
}

export const tenantQuery = Joi.object<TenantListQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    q: Joi.string()
        .trim()
        .min(1)
        .max(100)
        .description('the beginning of the domain or of a word of the name')
        .example('acm'),
    status: Joi.string().valid('active', 'suspended', 'deleted'),
    plan: Joi.string().valid('free', 'premium', 'enterprise'),
}).label('TenantQuery');

export interface CreateTenant {
    name: string;
    domain: string;
    plan: Plan;
    admin: { email: string; password?: string; displayName?: string };
}

const name = () => Joi.string().trim().min(1).max(100).example('Acme');
const domain = () =>
    Joi.string().domain({ tlds: false, minDomainSegments: 2 }).max(253).lowercase().example('acme.example');
const plan = () => Joi.string().valid('free', 'premium', 'enterprise');

export const updateTenantPayload = Joi.object<TenantChanges>({
    name: name(),
    plan: plan(),
    domain: domain(),
    limits: limitChangesSchema.allow(null).description('null: all figures are those of the tiers again'),
})
    .min(1)
    .example({ plan: 'premium', limits: { requestsPerMinute: 800, projects: null } })
    .label('UpdateTenant');

export const createTenantPayload = Joi.object<CreateTenant>({
    name: name().required(),
    domain: domain().required(),
    plan: plan().required(),
    admin: Joi.object({
        email: Joi.string().email({ tlds: false }).max(254).lowercase().required().example('ada@acme.example'),
        password: Joi.string().min(8).max(256).description('without it the answer has an invitation token'),
        displayName: Joi.string().trim().min(1).max(100).example('Ada'),
    })
        .required()
        .label('FirstAdmin'),
})
    .example({ name: 'Acme', domain: 'acme.example', plan: 'premium', admin: { email: 'ada@acme.example' } })
    .label('CreateTenant');

export const createdTenantAnswer = Joi.object({
    tenant: tenantSchema,
    user: userSchema,
    token: Joi.string().optional().description('the invitation of the admin, shown this once: 7 days, one use'),
}).label('CreatedTenantData');

export const createdTenantExample = {
    tenant: { ...tenantExample, plan: 'premium' },
    user: userExample,
    token: 'it1.tenant_01K9….user_01K9….Zk1…',
};
export const deletedTenantExample = {
    ...tenantExample,
    status: 'deleted',
    epoch: '2026-11-20T10:31:00.001Z',
    deletedAt: '2026-11-20T10:31:00.000Z',
    revision: 2,
    updatedAt: '2026-11-20T10:31:00.000Z',
};
