import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { type CreateEndpoint, createEndpointPayload, endpointAnswer, endpointExample } from '../item-schemas.ts';
import { tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const createEndpoint = (items: TunnelItems): ServerRoute<{ Params: TunnelParams; Payload: CreateEndpoint }> => ({
    method: 'POST',
    path: '/api/tunnels/{tunnelId}/endpoints',
    options: {
        ...describeRoute('Add an endpoint to a tunnel', {
            tag: 'tunnels',
            notes: 'At most 20.',
            answer: endpointAnswer,
            example: { endpoint: { ...endpointExample, isHealthy: null, latencyMs: null, checkedAt: null } },
            status: 201,
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'QUOTA_EXCEEDED'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams, payload: createEndpointPayload },
    },
    handler: async ({ auth, params, payload }, h) => {
        const endpoint = await items.addEndpoint(auth.credentials.actor, params.tunnelId, payload);
        return h.response({ endpoint }).etag(etagOf(endpoint));
    },
});
