import Joi from 'joi';

import { reasonSchema, tierSchema } from './schemas.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { NewBulk } from './bulk.ts';

const MOST_USERS = 1_000;

const action = () => Joi.string().valid('suspend', 'activate', 'tier', 'delete');
const count = () => Joi.number().integer().min(0);
const time = () => Joi.string().isoDate();

export interface BulkParams {
    bulkId: string;
}

export const bulkParams = Joi.object<BulkParams>({ bulkId: idSchema('bulk').required() }).label('BulkParams');

export const bulkQuery = Joi.object<PageParams>(pageParams({ usual: 20, most: 100 })).label('BulkQuery');

const place = {
    tenantId: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
};

export const createBulkPayload = Joi.object<NewBulk>({
    action: action().required(),
    reason: reasonSchema().description('stands in the audits'),
    tier: tierSchema().description('for `tier` only; null: the plan of the tenant'),
    users: Joi.array()
        .items(
            Joi.object({ tenantId: idSchema('tenant').required(), userId: idSchema('user').required() }).label(
                'BulkItem',
            ),
        )
        .min(1)
        .max(MOST_USERS)
        .required()
        .description('each once')
        .label('BulkItems'),
})
    .example({ action: 'suspend', reason: 'Abuse was reported', users: [place] })
    .label('CreateBulk');

const bulkSchema = Joi.object({
    id: Joi.string(),
    action: action(),
    reason: Joi.string().allow(null),
    tier: tierSchema(),
    state: Joi.string().valid('queued', 'running', 'completed'),
    total: count(),
    done: count().description('users that are as they should be'),
    failed: count().description('users that could not be changed'),
    createdAt: time(),
    startedAt: time().allow(null),
    finishedAt: time().allow(null),
    by: Joi.string().description('the platform admin who asked for it'),
}).label('Bulk');

export const bulkAnswer = Joi.object({ bulk: bulkSchema }).label('BulkData');
export const bulksAnswer = Joi.object({ bulks: Joi.array().items(bulkSchema).label('Bulks') }).label('BulksData');
export const bulkResultAnswer = Joi.object({
    bulk: bulkSchema,
    failures: Joi.array()
        .items(Joi.object({ tenantId: Joi.string(), userId: Joi.string(), code: Joi.string() }).label('BulkFailure'))
        .label('BulkFailures'),
}).label('BulkResultData');

export const bulkExample = {
    id: 'bulk_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    action: 'suspend',
    reason: 'Abuse was reported',
    tier: null,
    state: 'queued',
    total: 2,
    done: 0,
    failed: 0,
    createdAt: '2026-11-20T10:30:00.000Z',
    startedAt: null,
    finishedAt: null,
    by: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ADM',
};

export const completedBulkExample = {
    ...bulkExample,
    state: 'completed',
    done: 1,
    failed: 1,
    startedAt: '2026-11-20T10:30:00.050Z',
    finishedAt: '2026-11-20T10:30:00.100Z',
};

export const failuresExample = [{ ...place, code: 'LAST_ADMIN' }];
