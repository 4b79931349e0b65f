import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { profileAnswer, profileExample, updateProfilePayload, type UpdateProfile } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

export const updateProfile = (profiles: ProfileRules): ServerRoute<{ Payload: UpdateProfile }> => ({
    method: 'PATCH',
    path: '/api/profile',
    options: {
        ...describeRoute('Change your profile', {
            tag: 'profile',
            notes: 'What is left out stays as it is. `null` takes a setting back.',
            answer: profileAnswer,
            example: profileExample,
            errors: ['MODEL_NOT_FOUND', 'USER_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'profile:write' } },
        validate: { payload: updateProfilePayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, payload, headers }, h) => {
        const user = await profiles.update(auth.credentials.actor, payload, revisionOf(headers));
        return h.response({ user }).etag(etagOf(user));
    },
});
