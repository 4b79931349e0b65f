import Joi from 'joi';

import { tenantExample, tenantSchema } from '../tenants/api.ts';
import { userExample, userSchema } from '../users/api.ts';

const email = () => Joi.string().email({ tlds: false }).max(254).lowercase().example('ada@acme.example');
const domain = () =>
    Joi.string().domain({ tlds: false, minDomainSegments: 2 }).max(253).lowercase().example('acme.example');
const password = () => Joi.string().min(8).max(256).example('correct horse battery staple');

export interface Register {
    tenantName: string;
    domain: string;
    email: string;
    password: string;
    displayName?: string;
}

export const registerPayload = Joi.object<Register>({
    tenantName: Joi.string().trim().min(1).max(100).required().example('Acme'),
    domain: domain().required(),
    email: email().required(),
    password: password().required(),
    displayName: Joi.string().trim().min(1).max(100).example('Ada'),
})
    .example({
        tenantName: 'Acme',
        domain: 'acme.example',
        email: 'ada@acme.example',
        password: 'correct horse battery staple',
        displayName: 'Ada',
    })
    .label('Register');

export interface Login {
    username?: string;
    email?: string;
    password: string;
    tenantId?: string;
    domain?: string;
}

export const loginPayload = Joi.object<Login>({
    username: email().description('the same as `email`'),
    email: email(),
    // Not the rule of a new password: a wrong one is refused as a wrong one.
    password: Joi.string().max(256).required().example('correct horse battery staple'),
    tenantId: Joi.string().pattern(/^[A-Za-z0-9_-]{1,64}$/, 'tenant id'),
    domain: domain(),
})
    .xor('username', 'email')
    .oxor('tenantId', 'domain')
    .example({ email: 'ada@acme.example', password: 'correct horse battery staple' })
    .label('Login');

export interface Refresh {
    refreshToken?: string;
}

export const refreshPayload = Joi.object<Refresh>({
    refreshToken: Joi.string().max(512).description('where it does not come as a cookie'),
})
    .empty(null)
    .default({})
    .example({ refreshToken: 'rt1.k1.tenant_01K9…' })
    .label('Refresh');

const sessionKeys = {
    user: userSchema,
    tenant: tenantSchema,
    expiresIn: Joi.number().integer().description('seconds until the access token expires'),
    accessToken: Joi.string(),
    refreshToken: Joi.string(),
};

export const sessionAnswer = Joi.object(sessionKeys).label('SessionData');

export const sessionExample = {
    user: userExample,
    tenant: tenantExample,
    expiresIn: 900,
    accessToken: 'eyJhbGciOiJIUzI1NiIs…',
    refreshToken: 'rt1.k1.tenant_01K9…',
};

export const logoutAnswer = Joi.object({ message: Joi.string() }).label('LogoutData');

export const meAnswer = Joi.object({
    user: userSchema,
    tenant: tenantSchema,
    tier: Joi.string(),
    permissions: Joi.array().items(Joi.string()).label('Permissions'),
    expiresAt: Joi.string().isoDate().description('when the access token expires'),
}).label('MeData');

export const meExample = {
    user: userExample,
    tenant: tenantExample,
    tier: 'free',
    permissions: ['thread:read', 'thread:write', 'model:read'],
    expiresAt: '2026-11-20T10:45:00.000Z',
};
