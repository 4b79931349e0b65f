import { describeRoute } from '../../../src/http/describe-route.ts';
import { removedShareAnswer, shareExample, shareParams, type ShareParams } from '../item-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const deleteShare = (items: TunnelItems): ServerRoute<{ Params: ShareParams }> => ({
    method: 'DELETE',
    path: '/api/tunnels/{tunnelId}/shares/{shareId}',
    options: {
        ...describeRoute('Take a share of a tunnel back', {
            tag: 'tunnels',
            notes: 'It ends at once, with the calls that are on their way.',
            answer: removedShareAnswer,
            example: { share: { id: shareExample.id } },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'SHARE_NOT_FOUND'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: shareParams },
    },
    handler: async ({ auth, params }) => {
        await items.unshare(auth.credentials.actor, params);
        return { share: { id: params.shareId } };
    },
});
