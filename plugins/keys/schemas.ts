import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { PublicKey } from './public-key.ts';

const MAX_GRACE_SECONDS = 604_800;
const time = () => Joi.string().isoDate();

const name = () => Joi.string().trim().min(1).max(100);
const scopes = () =>
    Joi.array()
        .items(Joi.string().pattern(/^[a-z]+:[a-z]+(-[a-z]+)*$/, 'permission'))
        .min(1)
        .max(50)
        .description('permissions, of those that you have yourself')
        .label('KeyScopes');
const rate = () =>
    Joi.number().integer().min(1).max(1_000_000).allow(null).description('besides your own limit; null: that alone');
/** ISO-8601 has forms that no clock reads, as weeks. */
const expiry = () =>
    Joi.string()
        .isoDate()
        .custom((text: string, helpers) => {
            const at = Date.parse(text);
            return Number.isNaN(at) ? helpers.error('string.isoDate') : isoTime(at);
        })
        .allow(null)
        .description('null: it does not expire');

export interface KeyParams {
    keyId: string;
}

export const keyParams = Joi.object<KeyParams>({ keyId: idSchema('key').required() }).label('KeyParams');

export interface CreateKey {
    name: string;
    scopes: string[];
    requestsPerMinute: number | null;
    expiresAt: string | null;
}

export const createKeyPayload = Joi.object<CreateKey>({
    name: name().required(),
    scopes: scopes().required(),
    requestsPerMinute: rate().default(null),
    expiresAt: expiry().default(null),
})
    .example({ name: 'Nightly reports', scopes: ['thread:read', 'thread:write'], requestsPerMinute: 60 })
    .label('CreateKey');

export type UpdateKey = Partial<CreateKey>;

export const updateKeyPayload = Joi.object<UpdateKey>({
    name: name(),
    scopes: scopes(),
    requestsPerMinute: rate(),
    expiresAt: expiry(),
})
    .min(1)
    .example({ scopes: ['thread:read'] })
    .label('UpdateKey');

export interface RotateKey {
    graceSeconds: number;
}

export const rotateKeyPayload = Joi.object<RotateKey>({
    graceSeconds: Joi.number()
        .integer()
        .min(0)
        .max(MAX_GRACE_SECONDS)
        .default(0)
        .description('how long the old secret is still taken'),
})
    .empty(null)
    .default({ graceSeconds: 0 })
    .example({ graceSeconds: 3600 })
    .label('RotateKey');

export const keyQuery = Joi.object<PageParams>(pageParams({ usual: 20, most: 100 })).label('KeyQuery');

const keySchema = Joi.object<PublicKey>({
    id: Joi.string(),
    name: Joi.string(),
    scopes: Joi.array().items(Joi.string()).label('KeyPermissions'),
    requestsPerMinute: Joi.number().integer().allow(null),
    expiresAt: time().allow(null),
    lastUsedAt: time().allow(null).description('to the minute'),
    previousSecretExpiresAt: time().allow(null).description('until then the secret before the last rotation is taken'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('ApiKey');

const secret = Joi.string().description('the key itself; it is shown only this once');

export const keyAnswer = Joi.object({ key: keySchema }).label('ApiKeyData');
export const newKeyAnswer = Joi.object({ key: keySchema, secret }).label('NewApiKeyData');
export const keysAnswer = Joi.object({ keys: Joi.array().items(keySchema).label('ApiKeys') }).label('ApiKeysData');
export const revokedAnswer = Joi.object({ revoked: Joi.boolean().valid(true) }).label('RevokedData');

export const keyExample: PublicKey = {
    id: 'key_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'Nightly reports',
    scopes: ['thread:read', 'thread:write'],
    requestsPerMinute: 60,
    expiresAt: null,
    lastUsedAt: null,
    previousSecretExpiresAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const secretExample = `lal_01K9ZQ4V7N8M3T5R2W6X1Y0ABC01K9ZQ4V7N8M3T5R2W6X1Y0ABC_${'x'.repeat(43)}0a1b2c3`;
