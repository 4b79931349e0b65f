import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { tunnelAnswer, tunnelExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const startTunnel = (tunnels: Tunnels): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'POST',
    path: '/api/tunnels/{tunnelId}/start',
    options: {
        ...describeRoute('Start a tunnel', {
            tag: 'tunnels',
            notes: 'It waits for its agent from then on, and is `connected` when the agent is there.',
            answer: tunnelAnswer,
            example: { tunnel: { ...tunnelExample, status: 'connecting', desired: 'running', revision: 2 } },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'INVALID_STATE'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }, h) => {
        const tunnel = await tunnels.start(auth.credentials.actor, params.tunnelId);
        return h.response({ tunnel }).etag(etagOf(tunnel));
    },
});
