import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { profileAnswer, profileExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

export const getProfile = (profiles: ProfileRules): ServerRoute => ({
    method: 'GET',
    path: '/api/profile',
    options: {
        ...describeRoute('Get your profile', {
            tag: 'profile',
            answer: profileAnswer,
            example: profileExample,
            errors: ['USER_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'profile:read' } },
    },
    handler: async ({ auth }, h) => {
        const user = await profiles.get(auth.credentials.actor);
        return h.response({ user }).etag(etagOf(user));
    },
});
