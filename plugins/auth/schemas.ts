import Joi from 'joi';

import { idSchema } from '../../src/ids.ts';
import { tenantExample, tenantSchema } from '../tenants/api.ts';
import { passwordSchema as password, userExample, userSchema } from '../users/api.ts';

const email = () => Joi.string().email({ tlds: false }).max(254).lowercase().example('ada@acme.example');
const domain = () =>
    Joi.string().domain({ tlds: false, minDomainSegments: 2 }).max(253).lowercase().example('acme.example');
/** By which of the two a tenant is named, where it is not that of the e-mail address. */
const tenantNames = () => ({
    tenantId: Joi.string().pattern(/^[A-Za-z0-9_-]{1,64}$/, 'tenant id'),
    domain: domain(),
});

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
    ...tenantNames(),
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

export interface ChangePassword {
    currentPassword: string;
    newPassword: string;
}

export const changePasswordPayload = Joi.object<ChangePassword>({
    currentPassword: Joi.string().max(256).required(),
    newPassword: password().required(),
})
    .example({ currentPassword: 'correct horse battery staple', newPassword: 'seven quiet otters by the lake' })
    .label('ChangePassword');

export interface ForgotPassword {
    email: string;
    tenantId?: string;
    domain?: string;
}

export const forgotPasswordPayload = Joi.object<ForgotPassword>({
    email: email().required(),
    ...tenantNames(),
})
    .oxor('tenantId', 'domain')
    .example({ email: 'ada@acme.example' })
    .label('ForgotPassword');

export interface ResetPassword {
    token: string;
    newPassword: string;
}

const resetTokenExample = `pr1.${tenantExample.id}.${userExample.id}.W2Jk…`;

export const resetPasswordPayload = Joi.object<ResetPassword>({
    token: Joi.string().max(512).required(),
    newPassword: password().required(),
})
    .example({ token: resetTokenExample, newPassword: 'seven quiet otters by the lake' })
    .label('ResetPassword');

export interface SessionParams {
    sessionId: string;
}

export const sessionParams = Joi.object<SessionParams>({ sessionId: idSchema('sess').required() }).label(
    'SessionParams',
);

const listedSession = Joi.object({
    id: Joi.string(),
    ipAddress: Joi.string(),
    userAgent: Joi.string().allow(''),
    createdAt: Joi.string().isoDate(),
    lastSeenAt: Joi.string().isoDate().description('not more exact than a minute'),
    expiresAt: Joi.string().isoDate(),
    current: Joi.boolean().description('whether it is the one that asks'),
}).label('Session');

export const sessionsAnswer = Joi.object({ sessions: Joi.array().items(listedSession).label('Sessions') }).label(
    'SessionsData',
);

export const sessionsExample = {
    sessions: [
        {
            id: 'sess_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            ipAddress: '192.0.2.1',
            userAgent: 'Mozilla/5.0',
            createdAt: '2026-11-20T10:30:00.000Z',
            lastSeenAt: '2026-11-20T10:42:00.000Z',
            expiresAt: '2026-11-27T10:30:00.000Z',
            current: true,
        },
    ],
};

export const endedAnswer = Joi.object({
    endedSessions: Joi.number().integer().description('how many sessions were ended'),
}).label('EndedSessionsData');

export const resetTokenAnswer = Joi.object({
    token: Joi.string().description('shown this once'),
    expiresAt: Joi.string().isoDate(),
}).label('ResetTokenData');

export const resetTokenData = { token: resetTokenExample, expiresAt: '2026-11-20T11:30:00.000Z' };

export const messageAnswer = Joi.object({ message: Joi.string() }).label('MessageData');

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
    permissions: ['thread:read', 'thread:write', 'model:read', 'user:write'],
    expiresAt: '2026-11-20T10:45:00.000Z',
};
