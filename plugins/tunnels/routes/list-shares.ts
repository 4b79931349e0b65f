import { describeRoute } from '../../../src/http/describe-route.ts';
import { itemQuery, shareExample, sharesAnswer } from '../item-schemas.ts';
import { tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { TunnelItems } from '../item-service.ts';

export const listShares = (items: TunnelItems): ServerRoute<{ Params: TunnelParams; Query: PageParams }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/shares',
    options: {
        ...describeRoute('List the shares of a tunnel', {
            tag: 'tunnels',
            answer: sharesAnswer,
            example: { shares: [shareExample] },
            isPage: true,
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams, query: itemQuery },
    },
    handler: async ({ auth, params, query: { order: direction, ...query } }) => {
        const page = await items.shares(auth.credentials.actor, params.tunnelId, { ...query, direction });
        return { shares: page.items, pagination: page.pagination };
    },
});
