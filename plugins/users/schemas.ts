import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { Role, UserDetails } from './user.ts';
import type { Plan } from '../tenants/api.ts';

export const userSchema = Joi.object({
    id: Joi.string(),
    username: Joi.string(),
    email: Joi.string(),
    displayName: Joi.string(),
    role: Joi.string().valid('admin', 'user', 'superadmin', 'support', 'finance'),
    tier: Joi.string().valid('free', 'premium', 'enterprise').allow(null),
    isActive: Joi.boolean(),
    deletedAt: Joi.string().isoDate().allow(null),
    revision: Joi.number().integer(),
    createdAt: Joi.string().isoDate(),
    updatedAt: Joi.string().isoDate(),
}).label('User');

export const userExample = {
    id: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    username: 'ada@acme.example',
    email: 'ada@acme.example',
    displayName: 'Ada',
    role: 'admin',
    tier: null,
    isActive: true,
    deletedAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};

const email = () => Joi.string().email({ tlds: false }).max(254).lowercase().example('bob@acme.example');
const displayName = () => Joi.string().trim().min(1).max(100).example('Bob');
/** Of a new password, as far as its form goes. */
export const passwordSchema = () => Joi.string().min(8).max(256).example('correct horse battery staple');
const role = () => Joi.string().valid('admin', 'user', 'superadmin', 'support', 'finance');
const tier = () => Joi.string().valid('free', 'premium', 'enterprise').allow(null);

export interface UserParams {
    userId: string;
}

export const userParams = Joi.object<UserParams>({ userId: idSchema('user').required() }).label('UserParams');

export const createUserPayload = Joi.object<UserDetails>({
    email: email().required(),
    displayName: displayName().required(),
    role: role().required().description('`admin` or `user`; in the platform `superadmin`, `support` or `finance`'),
    tier: tier().description('where it is another than the plan of the tenant'),
    password: passwordSchema().description('without it the answer has an invitation token'),
})
    .example({ email: 'bob@acme.example', displayName: 'Bob', role: 'user' })
    .label('CreateUser');

export interface UpdateUser {
    email?: string;
    displayName?: string;
    role?: Role;
    tier?: Plan | null;
    isActive?: boolean;
}

export const updateUserPayload = Joi.object<UpdateUser>({
    email: email(),
    displayName: displayName(),
    role: role(),
    tier: tier(),
    isActive: Joi.boolean(),
})
    .min(1)
    .example({ role: 'admin' })
    .label('UpdateUser');

export interface Acceptance {
    token: string;
    password: string;
    displayName?: string;
}

export const acceptInvitationPayload = Joi.object<Acceptance>({
    token: Joi.string().max(256).required().example('it1.tenant_01K9….user_01K9….Zk1…'),
    password: passwordSchema().required(),
    displayName: displayName(),
})
    .example({ token: 'it1.tenant_01K9….user_01K9….Zk1…', password: 'correct horse battery staple' })
    .label('AcceptInvitation');

export interface UserListQuery extends PageParams {
    q?: string;
}

export const userQuery = Joi.object<UserListQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    q: Joi.string()
        .trim()
        .min(1)
        .max(100)
        .description('the beginning of the e-mail or of a word of the name')
        .example('bo'),
}).label('UserQuery');

export const userAnswer = Joi.object({ user: userSchema }).label('UserData');
export const usersAnswer = Joi.object({ users: Joi.array().items(userSchema).label('Users') }).label('UsersData');
export const createdUserAnswer = Joi.object({
    user: userSchema,
    token: Joi.string().optional().description('the invitation, shown this once: valid for 7 days and one use'),
}).label('CreatedUserData');
export const renewedInvitationAnswer = Joi.object({
    user: userSchema,
    token: Joi.string().description('the invitation, shown this once: valid for 7 days and one use'),
}).label('InvitationData');

export const memberExample = {
    ...userExample,
    username: 'bob@acme.example',
    email: 'bob@acme.example',
    displayName: 'Bob',
    role: 'user',
};
export const deletedUserExample = {
    ...memberExample,
    isActive: false,
    deletedAt: '2026-11-20T10:31:00.000Z',
    revision: 2,
    updatedAt: '2026-11-20T10:31:00.000Z',
};
