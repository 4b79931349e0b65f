import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    scheduleAnswer,
    scheduleExample,
    scheduleParams,
    scheduleQuery,
    updateSchedulePayload,
    type ScheduleChanges,
    type ScheduleParams,
    type ScheduleQuery,
} from '../schedule-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Schedules } from '../schedule-service.ts';

const describe = (notes: string) => ({
    ...describeRoute('Change a backup schedule', {
        tag: 'backups',
        notes,
        answer: scheduleAnswer,
        example: { schedule: { ...scheduleExample, revision: 2 } },
        errors: ['SCHEDULE_NOT_FOUND', 'REVISION_MISMATCH'],
        rateLimit: { limit: 10, window: 60, bucket: 'change schedule' },
    }),
    auth: { access: { scope: 'backup:create' } },
});

export const updateSchedule = (
    schedules: Schedules,
): ServerRoute<{ Params: ScheduleParams; Payload: ScheduleChanges }> => ({
    method: 'PUT',
    path: '/api/backups/schedule/{scheduleId}',
    options: {
        ...describe('What is not named stays as it is.'),
        validate: { params: scheduleParams, payload: updateSchedulePayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const schedule = await schedules.update(actor, params.scheduleId, payload, revisionOf(headers));
        return h.response({ schedule }).etag(etagOf(schedule));
    },
});

/** The same with the id in the query. */
export const updateScheduleByQuery = (
    schedules: Schedules,
): ServerRoute<{ Query: ScheduleQuery; Payload: ScheduleChanges }> => ({
    method: 'PUT',
    path: '/api/backups/schedule',
    options: {
        ...describe('As `PUT /api/backups/schedule/{scheduleId}`.'),
        validate: { query: scheduleQuery, payload: updateSchedulePayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, query, payload, headers }, h) => {
        const schedule = await schedules.update(auth.credentials.actor, query.id, payload, revisionOf(headers));
        return h.response({ schedule }).etag(etagOf(schedule));
    },
});
