import { describeRoute } from '../../../src/http/describe-route.ts';
import { activityAnswer, activityExample, activityQuery, type ActivityQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

export const listActivity = (profiles: ProfileRules): ServerRoute<{ Query: ActivityQuery }> => ({
    method: 'GET',
    path: '/api/profile/activity',
    options: {
        ...describeRoute('List what you did', {
            tag: 'profile',
            notes: 'Your entries of the audit, newest first; about the last thousand.',
            answer: activityAnswer,
            example: activityExample,
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'profile:read' } },
        validate: { query: activityQuery },
    },
    handler: ({ auth, query }) => profiles.activity(auth.credentials.actor, query),
});
