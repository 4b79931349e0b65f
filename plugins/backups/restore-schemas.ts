import Joi from 'joi';

import { componentsSchema } from './schemas.ts';
import { idSchema } from '../../src/ids.ts';

import type { Restore } from './api.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';
import type { Component } from '../../src/redis/aggregate.ts';

const time = () => Joi.string().isoDate();

export interface RestoreParams {
    restoreId: string;
}

export const restoreParams = Joi.object<RestoreParams>({ restoreId: idSchema('restore').required() }).label(
    'RestoreParams',
);

export interface RestoreBackup {
    components: Component[];
}

export const restoreBackupPayload = Joi.object<RestoreBackup>({
    components: componentsSchema().min(1).required().label('RestoreComponents'),
})
    .example({ components: ['database', 'config'] })
    .label('RestoreBackup');

const restoreSchema = Joi.object<Restore>({
    id: Joi.string(),
    backupId: Joi.string(),
    components: componentsSchema().label('RestoredComponents'),
    withPlan: Joi.boolean().description('with plan and figures of the tenant: by an operator only'),
    state: Joi.string().valid('verifying', 'safety_backup', 'staging', 'swapping', 'completed', 'failed'),
    safetyBackupId: Joi.string().allow(null).description('the backup of what was there before'),
    createdBy: Joi.string(),
    error: Joi.string().allow(null).description('why it failed: a code of GET /api/errors'),
    errorDetails: Joi.object()
        .pattern(Joi.string(), Joi.any().meta({ isAnything: true }))
        .allow(null)
        .label('RestoreErrorDetails'),
    completedAt: time().allow(null),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Restore');

export const restoreAnswer = Joi.object({ restore: restoreSchema }).label('RestoreData');

export const restoreExample: Restore = {
    id: 'restore_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    backupId: 'backup_2026-11-20_10-30-00',
    components: ['database', 'config'],
    withPlan: false,
    state: 'verifying',
    safetyBackupId: null,
    createdBy: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    error: null,
    errorDetails: null,
    completedAt: null,
    revision: 1,
    createdAt: '2026-11-20T11:00:00.000Z',
    updatedAt: '2026-11-20T11:00:00.000Z',
};

const ended: Restore = {
    ...restoreExample,
    state: 'completed',
    safetyBackupId: 'backup_2026-11-20_11-00-01',
    completedAt: '2026-11-20T11:00:35.000Z',
    revision: 6,
    updatedAt: '2026-11-20T11:00:35.000Z',
};

export const restoreEventsExample: ServerSentEvent[] = [
    { id: '1', event: 'progress', data: { restore: restoreExample } },
    { id: '6', event: 'complete', data: { restore: ended } },
];
