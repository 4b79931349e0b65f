import { describeRoute } from '../../../src/http/describe-route.ts';
import { avatarAnswer, deleteAvatarExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

export const deleteAvatar = (profiles: ProfileRules): ServerRoute => ({
    method: 'DELETE',
    path: '/api/profile/avatar',
    options: {
        ...describeRoute('Delete your avatar', {
            tag: 'profile',
            answer: avatarAnswer,
            example: deleteAvatarExample,
            errors: ['AVATAR_NOT_FOUND'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'profile:write' } },
    },
    handler: async ({ auth }) => {
        await profiles.deleteAvatar(auth.credentials.actor);
        return { avatar: { configured: false } };
    },
});
