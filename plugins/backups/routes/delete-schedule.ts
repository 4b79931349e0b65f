import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    deletedScheduleAnswer,
    scheduleExample,
    scheduleParams,
    scheduleQuery,
    type ScheduleParams,
    type ScheduleQuery,
} from '../schedule-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Schedules } from '../schedule-service.ts';

const describe = (notes: string) => ({
    ...describeRoute('Delete a backup schedule', {
        tag: 'backups',
        notes,
        answer: deletedScheduleAnswer,
        example: { schedule: { id: scheduleExample.id, deleted: true } },
        errors: ['SCHEDULE_NOT_FOUND', 'REVISION_MISMATCH'],
        rateLimit: { limit: 10, window: 60, bucket: 'delete schedule' },
    }),
    auth: { access: { scope: 'backup:delete' } },
});

export const deleteSchedule = (schedules: Schedules): ServerRoute<{ Params: ScheduleParams }> => ({
    method: 'DELETE',
    path: '/api/backups/schedule/{scheduleId}',
    options: {
        ...describe('Its backups stay until they expire.'),
        validate: { params: scheduleParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => {
        await schedules.delete(auth.credentials.actor, params.scheduleId, revisionOf(headers));
        return { schedule: { id: params.scheduleId, deleted: true } };
    },
});

/** The same with the id in the query. */
export const deleteScheduleByQuery = (schedules: Schedules): ServerRoute<{ Query: ScheduleQuery }> => ({
    method: 'DELETE',
    path: '/api/backups/schedule',
    options: {
        ...describe('As `DELETE /api/backups/schedule/{scheduleId}`.'),
        validate: { query: scheduleQuery, headers: ifMatchHeaders },
    },
    handler: async ({ auth, query, headers }) => {
        await schedules.delete(auth.credentials.actor, query.id, revisionOf(headers));
        return { schedule: { id: query.id, deleted: true } };
    },
});
