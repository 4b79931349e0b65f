import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { endpointAnswer, endpointExample, endpointParams, type EndpointParams } from '../item-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const deleteEndpoint = (items: TunnelItems): ServerRoute<{ Params: EndpointParams }> => ({
    method: 'DELETE',
    path: '/api/tunnels/{tunnelId}/endpoints/{endpointId}',
    options: {
        ...describeRoute('Remove an endpoint from a tunnel', {
            tag: 'tunnels',
            answer: endpointAnswer,
            example: { endpoint: { ...endpointExample, isHealthy: null, latencyMs: null, checkedAt: null } },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'ENDPOINT_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: endpointParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => ({
        endpoint: await items.deleteEndpoint(auth.credentials.actor, params, revisionOf(headers)),
    }),
});
