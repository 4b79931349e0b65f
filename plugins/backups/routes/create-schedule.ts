import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { createSchedulePayload, scheduleAnswer, scheduleExample, type ScheduleFields } from '../schedule-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Schedules } from '../schedule-service.ts';

const NOTES = `At most ten. Its times are those of a clock on the wall in its time zone: one that is skipped in spring is as
much later as the clock goes forward, one that comes twice in autumn counts the first time. What a downtime has missed is
made up for once.`;

export const createSchedule = (schedules: Schedules): ServerRoute<{ Payload: ScheduleFields }> => ({
    method: 'POST',
    path: '/api/backups/schedule',
    options: {
        ...describeRoute('Create a backup schedule', {
            tag: 'backups',
            notes: NOTES,
            answer: scheduleAnswer,
            example: { schedule: scheduleExample },
            status: 201,
            errors: ['QUOTA_EXCEEDED'],
            grows: true,
            rateLimit: { limit: 10, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'backup:create' } },
        validate: { payload: createSchedulePayload },
    },
    handler: async ({ auth, payload }, h) => {
        const schedule = await schedules.create(auth.credentials.actor, payload);
        return h.response({ schedule }).etag(etagOf(schedule));
    },
});
