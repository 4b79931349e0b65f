import { describeRoute } from '../../../src/http/describe-route.ts';
import { endpointExample, endpointsAnswer, itemQuery } from '../item-schemas.ts';
import { tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { TunnelItems } from '../item-service.ts';

export const listEndpoints = (items: TunnelItems): ServerRoute<{ Params: TunnelParams; Query: PageParams }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/endpoints',
    options: {
        ...describeRoute('List the endpoints of a tunnel', {
            tag: 'tunnels',
            answer: endpointsAnswer,
            example: { endpoints: [endpointExample] },
            isPage: true,
            errors: ['TUNNEL_NOT_FOUND', 'INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams, query: itemQuery },
    },
    handler: async ({ auth, params, query: { order: direction, ...query } }) => {
        const page = await items.endpoints(auth.credentials.actor, params.tunnelId, { ...query, direction });
        return { endpoints: page.items, pagination: page.pagination };
    },
});
