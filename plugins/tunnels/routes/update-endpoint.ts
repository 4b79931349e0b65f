import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    endpointAnswer,
    endpointExample,
    endpointParams,
    type EndpointParams,
    type UpdateEndpoint,
    updateEndpointPayload,
} from '../item-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const updateEndpoint = (
    items: TunnelItems,
): ServerRoute<{ Params: EndpointParams; Payload: UpdateEndpoint }> => ({
    method: 'PATCH',
    path: '/api/tunnels/{tunnelId}/endpoints/{endpointId}',
    options: {
        ...describeRoute('Change an endpoint of a tunnel', {
            tag: 'tunnels',
            answer: endpointAnswer,
            example: { endpoint: { ...endpointExample, priority: 1, revision: 2 } },
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'ENDPOINT_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: endpointParams, payload: updateEndpointPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const endpoint = await items.updateEndpoint(auth.credentials.actor, params, payload, revisionOf(headers));
        return h.response({ endpoint }).etag(etagOf(endpoint));
    },
});
