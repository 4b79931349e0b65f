import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { tunnelAnswer, tunnelExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const stopTunnel = (tunnels: Tunnels): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'POST',
    path: '/api/tunnels/{tunnelId}/stop',
    options: {
        ...describeRoute('Stop a tunnel', {
            tag: 'tunnels',
            notes: 'The agent is disconnected, and refused until the tunnel is started.',
            answer: tunnelAnswer,
            example: { tunnel: { ...tunnelExample, status: 'disconnected', reason: 'stopped', revision: 3 } },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'INVALID_STATE'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }, h) => {
        const tunnel = await tunnels.stop(auth.credentials.actor, params.tunnelId);
        return h.response({ tunnel }).etag(etagOf(tunnel));
    },
});
