import { describeRoute } from '../../../src/http/describe-route.ts';
import { tunnelExample, tunnelQuery, type TunnelQuery, tunnelsAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const listTunnels = (tunnels: Tunnels): ServerRoute<{ Query: TunnelQuery }> => ({
    method: 'GET',
    path: '/api/tunnels',
    options: {
        ...describeRoute('List your tunnels', {
            tag: 'tunnels',
            answer: tunnelsAnswer,
            example: { tunnels: [tunnelExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { query: tunnelQuery },
    },
    handler: async ({ auth, query: { order: direction, shared: isShared, ...query } }) => {
        const { items, pagination } = await tunnels.list(auth.credentials.actor, { ...query, direction, isShared });
        return { tunnels: items, pagination };
    },
});
