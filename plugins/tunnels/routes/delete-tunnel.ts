import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { tunnelAnswer, tunnelExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const deleteTunnel = (tunnels: Tunnels): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'DELETE',
    path: '/api/tunnels/{tunnelId}',
    options: {
        ...describeRoute('Delete a tunnel', {
            tag: 'tunnels',
            notes: 'With its endpoints, shares, activity and figures. An agent that is connected is disconnected.',
            answer: tunnelAnswer,
            example: { tunnel: tunnelExample },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => ({
        tunnel: await tunnels.delete(auth.credentials.actor, params.tunnelId, revisionOf(headers)),
    }),
});
