import Joi from 'joi';

import { idSchema } from '../../src/ids.ts';
import { userExample, userQuery, userSchema, type UserListQuery } from '../users/api.ts';

import type { Plan } from '../tenants/api.ts';

export interface AccountParams {
    tenantId: string;
    userId: string;
}

export const accountParams = Joi.object<AccountParams>({
    tenantId: idSchema('tenant').required(),
    userId: idSchema('user').required(),
}).label('AccountParams');

export interface AccountListQuery extends UserListQuery {
    tenantId?: string;
}

export const accountQuery = (userQuery as Joi.ObjectSchema<AccountListQuery>)
    .keys({ tenantId: idSchema('tenant') })
    .label('AccountQuery');

export interface SuspendAccount {
    reason: string;
}

export const reasonSchema = () => Joi.string().trim().min(1).max(500).example('Abuse was reported');
export const tierSchema = () =>
    Joi.string().valid('free', 'premium', 'enterprise').allow(null).description('null: the plan of the tenant');

export const suspendAccountPayload = Joi.object<SuspendAccount>({ reason: reasonSchema().required() })
    .example({ reason: 'Abuse was reported' })
    .label('SuspendAccount');

export interface UpdateAccount {
    tier: Plan | null;
}

export const updateAccountPayload = Joi.object<UpdateAccount>({ tier: tierSchema().required() })
    .example({ tier: 'premium' })
    .label('UpdateAccount');

export const accountAnswer = Joi.object({ user: userSchema }).label('AccountData');
export const accountExample = {
    ...userExample,
    username: 'bob@acme.example',
    email: 'bob@acme.example',
    displayName: 'Bob',
    role: 'user',
};

export const accountsAnswer = Joi.object({
    users: Joi.array()
        .items(userSchema.keys({ tenantId: Joi.string(), tenantName: Joi.string() }).label('Account'))
        .label('Accounts'),
}).label('AccountsData');

export const accountsExample = {
    users: [{ ...accountExample, tenantId: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', tenantName: 'Acme' }],
};
