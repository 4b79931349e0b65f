import { describeRoute } from '../../../src/http/describe-route.ts';
import { deleteProfileAnswer, deleteProfileExample, deleteProfilePayload, type DeleteProfile } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

export const deleteProfile = (profiles: ProfileRules): ServerRoute<{ Payload: DeleteProfile }> => ({
    method: 'DELETE',
    path: '/api/profile',
    options: {
        ...describeRoute('Delete yourself', {
            tag: 'profile',
            notes:
                'Ends all sessions and destroys provider keys and avatar at once. An admin can restore the rest for ' +
                '30 days.',
            answer: deleteProfileAnswer,
            example: deleteProfileExample,
            isExpensive: true,
            errors: ['INVALID_CREDENTIALS', 'LAST_ADMIN', 'ALREADY_DELETED', 'ACCOUNT_DELAYED', 'SERVER_BUSY'],
            rateLimit: { limit: 5, window: 60 },
        }),
        auth: { access: { scope: 'profile:write' } },
        validate: { payload: deleteProfilePayload },
    },
    handler: async ({ auth, payload }, h) => {
        const deletedUser = await profiles.delete(auth.credentials.actor, payload.password);
        return h.response({ deletedUser }).unstate('access').unstate('refresh', { path: '/api' });
    },
});
