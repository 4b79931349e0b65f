import Joi from 'joi';

import { pageParams } from '../../src/http/pagination.ts';

import type { AuditFilter, AuditQuery, ExportQuery } from './query.ts';

const ID = '01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

const time = () => Joi.date().iso().min('2020-01-01').max('2199-12-31');

const filter = {
    userId: Joi.string().max(100).example(`user_${ID}`).description('who did it'),
    action: Joi.string()
        .max(100)
        .pattern(/^[a-z0-9_.-]*\*?$/, 'action')
        .example('auth.*')
        .description('as it is, or what it begins with and a `*`'),
    resource: Joi.string().max(100).example('thread'),
    resourceId: Joi.string().max(320).example(`thread_${ID}`),
    result: Joi.string()
        .pattern(/^(success|failure|intended|[A-Z][A-Z_]{1,60})$/, 'result')
        .example('failure')
        .description('`success`; `failure`, whatever the reason; or the error code of the refusal'),
    from: time().description('from then on'),
    to: time().description('before then'),
};

export const auditQuery = Joi.object<AuditQuery & AuditFilter>({
    ...pageParams({ usual: 20, most: 100 }),
    ...filter,
}).label('AuditQuery');

export const exportQuery = Joi.object<ExportQuery>({
    ...filter,
    format: Joi.string().valid('csv', 'ndjson').default('csv'),
    order: Joi.string().valid('asc', 'desc').default('desc'),
}).label('AuditExportQuery');

export interface VerifyQuery {
    cursor?: string;
}

export const verifyQuery = Joi.object<VerifyQuery>({
    cursor: Joi.string().max(1024).description('the cursor of the verification before'),
}).label('AuditVerifyQuery');

const entrySchema = Joi.object({
    id: Joi.string(),
    tenantId: Joi.string(),
    userId: Joi.string().allow(null),
    actor: Joi.object({
        type: Joi.string()
            .valid('user', 'key', 'operator', 'anonymous', 'system')
            .description(
                '`key`: a user by a service API key; `operator`: a command at the shell; `anonymous`: a request of nobody who is known',
            ),
        id: Joi.string().allow(null).description('of the user or the key'),
    }).label('AuditActor'),
    action: Joi.string().allow(''),
    resource: Joi.string().allow(''),
    resourceId: Joi.string().allow(''),
    result: Joi.string()
        .allow('')
        .description('`success`, `intended` where the end is told by another entry, or the error code of the refusal'),
    details: Joi.object().unknown().label('AuditDetails'),
    ipAddress: Joi.string().allow(null),
    userAgent: Joi.string().allow(null, ''),
    correlationId: Joi.string().allow(null).description('the id of the request'),
    timestamp: Joi.string().isoDate(),
    hash: Joi.string().allow(null).description('in the chain of hashes; null while the entry is not sealed'),
}).label('AuditEntry');

export const auditAnswer = Joi.object({ entries: Joi.array().items(entrySchema).label('AuditEntries') }).label(
    'AuditData',
);

export const entryExample = {
    id: '1795170600000-0',
    tenantId: `tenant_${ID}`,
    userId: `user_${ID}`,
    actor: { type: 'user', id: `user_${ID}` },
    action: 'thread.create',
    resource: 'thread',
    resourceId: `thread_${ID}`,
    result: 'success',
    details: {},
    ipAddress: '203.0.113.7',
    userAgent: 'curl/8.5.0',
    correlationId: `req_${ID}`,
    timestamp: '2026-11-20T10:30:00.000Z',
    hash: HASH,
};
/** An export with that entry, by its type. */
export const exportExamples = {
    'text/csv':
        'id,timestamp,tenantId,userId,actorType,actorId,action,resource,resourceId,result,details,ipAddress,userAgent,' +
        `correlationId,hash\r\n1795170600000-0,2026-11-20T10:30:00.000Z,tenant_${ID},user_${ID},user,user_${ID},` +
        `thread.create,thread,thread_${ID},success,{},203.0.113.7,curl/8.5.0,req_${ID},${HASH}\r\n`,
    'application/x-ndjson': `${JSON.stringify(entryExample)}\n`,
};
export const auditExample = { entries: [entryExample] };

const faultSchema = Joi.object({
    id: Joi.string(),
    reason: Joi.string()
        .valid('changed', 'missing', 'inserted')
        .description('`changed` also where an entry is not in the place that it was sealed in'),
}).label('AuditFault');

export const verificationAnswer = Joi.object({
    verification: Joi.object({
        valid: Joi.boolean().description('of what was checked'),
        checked: Joi.number().integer().description('entries that were followed from hash to hash'),
        unsealed: Joi.number().integer().description('entries that no hash stands for yet'),
        firstBad: faultSchema.optional(),
        cursor: Joi.string().allow(null).description('goes on with the next entries; null where all were checked'),
    }).label('AuditVerification'),
}).label('AuditVerificationData');

export const verificationExample = { verification: { valid: true, checked: 1_204, unsealed: 3, cursor: null } };
