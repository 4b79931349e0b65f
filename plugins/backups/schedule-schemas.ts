import Joi from 'joi';

import { cronFault, isTimeZone } from './cron.ts';
import { typeSchema } from './schemas.ts';
import { idSchema } from '../../src/ids.ts';

import type { BackupSchedule } from './api.ts';

const time = () => Joi.string().isoDate();

const cronSchema = () =>
    Joi.string()
        .trim()
        .max(100)
        .custom((value: string, helpers) => {
            const cron = value.replaceAll(/\s+/g, ' ');
            const fault = cronFault(cron);
            return fault === null ? cron : helpers.message({ custom: `{{#label}} ${fault}` });
        })
        .description('minute, hour, day of the month, month, day of the week; once an hour at most');

const timezoneSchema = () =>
    Joi.string()
        .max(64)
        .custom((value: string, helpers) =>
            isTimeZone(value) ? value : helpers.message({ custom: '{{#label}} is no time zone of the IANA database' }),
        )
        .description('of the IANA database');

const name = () => Joi.string().trim().min(1).max(100);
const retentionDays = () => Joi.number().integer().min(1).max(365);

/** What somebody says of a schedule. */
export type ScheduleFields = Pick<BackupSchedule, 'name' | 'cron' | 'timezone' | 'type' | 'retentionDays' | 'enabled'>;
export type ScheduleChanges = Partial<ScheduleFields>;

export const createSchedulePayload = Joi.object<ScheduleFields>({
    name: name().required(),
    cron: cronSchema().required(),
    timezone: timezoneSchema().default('UTC'),
    type: typeSchema().required(),
    retentionDays: retentionDays().default(30),
    enabled: Joi.boolean().default(true),
})
    .example({ name: 'Every night', cron: '0 2 * * *', timezone: 'Europe/Berlin', type: 'full' })
    .label('CreateBackupSchedule');

export const updateSchedulePayload = Joi.object<ScheduleChanges>({
    name: name(),
    cron: cronSchema(),
    timezone: timezoneSchema(),
    type: typeSchema(),
    retentionDays: retentionDays(),
    enabled: Joi.boolean(),
})
    .min(1)
    .example({ enabled: true })
    .label('UpdateBackupSchedule');

export interface ScheduleParams {
    scheduleId: string;
}

export const scheduleParams = Joi.object<ScheduleParams>({ scheduleId: idSchema('schedule').required() }).label(
    'BackupScheduleParams',
);

export interface ScheduleQuery {
    id: string;
}

export const scheduleQuery = Joi.object<ScheduleQuery>({ id: idSchema('schedule').required() }).label(
    'BackupScheduleQuery',
);

const scheduleSchema = Joi.object<BackupSchedule>({
    id: Joi.string(),
    name: Joi.string(),
    cron: Joi.string(),
    timezone: Joi.string(),
    type: typeSchema(),
    retentionDays: Joi.number().integer(),
    enabled: Joi.boolean(),
    lastRunAt: time().allow(null),
    nextRunAt: time().allow(null),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('BackupSchedule');

export const scheduleAnswer = Joi.object({ schedule: scheduleSchema }).label('BackupScheduleData');
export const schedulesAnswer = Joi.object({
    schedules: Joi.array().items(scheduleSchema).label('BackupSchedules'),
}).label('BackupSchedulesData');
export const deletedScheduleAnswer = Joi.object({
    schedule: Joi.object({ id: Joi.string(), deleted: Joi.boolean() }).label('DeletedBackupSchedule'),
}).label('DeletedBackupScheduleData');

export const scheduleExample: BackupSchedule = {
    id: 'schedule_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'Every night',
    cron: '0 2 * * *',
    timezone: 'Europe/Berlin',
    type: 'full',
    retentionDays: 30,
    enabled: true,
    lastRunAt: null,
    nextRunAt: '2026-11-21T01:00:00.000Z',
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};
