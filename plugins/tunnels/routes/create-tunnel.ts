import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { type CreateTunnel, createTunnelPayload, newTunnelAnswer, tokenExample, tunnelExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Tunnels } from '../service.ts';

const NOTES = `The agent on your machine connects with the \`token\`, which is shown in this answer only. Start the tunnel to
let it.`;

export const createTunnel = (tunnels: Tunnels): ServerRoute<{ Payload: CreateTunnel }> => ({
    method: 'POST',
    path: '/api/tunnels',
    options: {
        ...describeRoute('Create a tunnel', {
            tag: 'tunnels',
            notes: NOTES,
            answer: newTunnelAnswer,
            example: { tunnel: tunnelExample, token: tokenExample },
            status: 201,
            errors: ['NAME_TAKEN', 'QUOTA_EXCEEDED'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { payload: createTunnelPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const { tunnel, token } = await tunnels.create(auth.credentials.actor, payload);
        return h.response({ tunnel, token }).etag(etagOf(tunnel));
    },
});
