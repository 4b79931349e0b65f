import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { tunnelAnswer, tunnelExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const getTunnel = (tunnels: Tunnels): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}',
    options: {
        ...describeRoute('Read a tunnel', {
            tag: 'tunnels',
            answer: tunnelAnswer,
            example: { tunnel: tunnelExample },
            errors: ['TUNNEL_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }, h) => {
        const tunnel = await tunnels.show(auth.credentials.actor, params.tunnelId);
        return h.response({ tunnel }).etag(etagOf(tunnel));
    },
});
