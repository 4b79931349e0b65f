import { describeRoute } from '../../../src/http/describe-route.ts';
import { scheduleExample, schedulesAnswer } from '../schedule-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Schedules } from '../schedule-service.ts';

export const listSchedules = (schedules: Schedules): ServerRoute => ({
    method: 'GET',
    path: '/api/backups/schedule',
    options: {
        ...describeRoute('List the backup schedules of your tenant', {
            tag: 'backups',
            notes: 'Every tenant begins with two that are switched off: a daily backup, and a weekly one of the database.',
            answer: schedulesAnswer,
            example: { schedules: [scheduleExample] },
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'backup:read' } },
    },
    handler: async ({ auth }) => ({ schedules: await schedules.list(auth.credentials.actor) }),
});
