import { describeRoute } from '../../../src/http/describe-route.ts';
import { healthAnswer, healthExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const getHealth = (items: TunnelItems): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/health',
    options: {
        ...describeRoute('Read how what is behind a tunnel is', {
            tag: 'tunnels',
            answer: healthAnswer,
            example: { health: healthExample },
            errors: ['TUNNEL_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }) => ({
        health: await items.health(auth.credentials.actor, params.tunnelId),
    }),
});
