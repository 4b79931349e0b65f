import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { newTunnelAnswer, tokenExample, tunnelExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const rotateToken = (tunnels: Tunnels): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'POST',
    path: '/api/tunnels/{tunnelId}/token',
    options: {
        ...describeRoute('Give a tunnel another token', {
            tag: 'tunnels',
            notes: 'The old one is refused at once, and an agent that is connected with it is disconnected.',
            answer: newTunnelAnswer,
            example: { tunnel: { ...tunnelExample, revision: 2 }, token: tokenExample },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }, h) => {
        const { tunnel, token } = await tunnels.rotate(auth.credentials.actor, params.tunnelId);
        return h.response({ tunnel, token }).etag(etagOf(tunnel));
    },
});
