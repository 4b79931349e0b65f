import { describeRoute } from '../../../src/http/describe-route.ts';
import { IMAGE_TYPES } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { ProfileRules } from '../service.ts';

export const getAvatar = (profiles: ProfileRules): ServerRoute => ({
    method: 'GET',
    path: '/api/profile/avatar',
    options: {
        ...describeRoute('Get your avatar', {
            tag: 'profile',
            answersBinary: IMAGE_TYPES,
            errors: ['AVATAR_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'profile:read' } },
    },
    handler: async ({ auth }, h) => {
        const { contentType, digest, bytes } = await profiles.avatar(auth.credentials.actor);
        // Whoever opens it as a page gets an image and nothing that runs.
        return h
            .response(bytes)
            .type(contentType)
            .etag(digest)
            .header('cache-control', 'private, no-cache')
            .header('content-disposition', `inline; filename="avatar.${contentType.slice('image/'.length)}"`)
            .header('content-security-policy', "default-src 'none'; sandbox");
    },
});
