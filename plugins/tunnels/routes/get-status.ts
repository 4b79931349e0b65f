import { describeRoute } from '../../../src/http/describe-route.ts';
import { statusAnswer, statusExample, tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const getStatus = (items: TunnelItems): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/status',
    options: {
        ...describeRoute('Read how a tunnel is connected', {
            tag: 'tunnels',
            answer: statusAnswer,
            example: { status: statusExample },
            errors: ['TUNNEL_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }) => ({
        status: await items.status(auth.credentials.actor, params.tunnelId),
    }),
});
