import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    tunnelAnswer,
    tunnelExample,
    tunnelParams,
    type TunnelParams,
    type UpdateTunnel,
    updateTunnelPayload,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

export const updateTunnel = (tunnels: Tunnels): ServerRoute<{ Params: TunnelParams; Payload: UpdateTunnel }> => ({
    method: 'PATCH',
    path: '/api/tunnels/{tunnelId}',
    options: {
        ...describeRoute('Change a tunnel', {
            tag: 'tunnels',
            answer: tunnelAnswer,
            example: { tunnel: { ...tunnelExample, revision: 2 } },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'REVISION_MISMATCH', 'NAME_TAKEN'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams, payload: updateTunnelPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const tunnel = await tunnels.update(actor, params.tunnelId, payload, revisionOf(headers));
        return h.response({ tunnel }).etag(etagOf(tunnel));
    },
});
