import { describeRoute } from '../../../src/http/describe-route.ts';
import { avatarAnswer, IMAGE_TYPES, putAvatarExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

const MAX_BYTES = 262_144;

export const putAvatar = (profiles: ProfileRules): ServerRoute<{ Payload: Buffer }> => ({
    method: 'PUT',
    path: '/api/profile/avatar',
    options: {
        ...describeRoute('Send your avatar', {
            tag: 'profile',
            notes: 'A PNG, JPEG or WebP image of at most 256 KiB, as the body. What it is decides its content.',
            takesBinary: IMAGE_TYPES,
            answer: avatarAnswer,
            example: putAvatarExample,
            errors: ['USER_NOT_FOUND'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'profile:write' } },
        payload: { parse: false, output: 'data', allow: IMAGE_TYPES, maxBytes: MAX_BYTES },
    },
    handler: async ({ auth, payload }) => ({ avatar: await profiles.putAvatar(auth.credentials.actor, payload) }),
});
