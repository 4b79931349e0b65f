import { describeRoute } from '../../../src/http/describe-route.ts';
import { type CreateShare, createSharePayload, newShareAnswer, shareExample } from '../item-schemas.ts';
import { tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

const NOTES = `With a user of your tenant, or with whoever has the \`token\`, which is shown in this answer only, holds for 24
hours and opens calls through the tunnel, nothing else. At most 100 at a time.`;

export const createShare = (items: TunnelItems): ServerRoute<{ Params: TunnelParams; Payload: CreateShare }> => ({
    method: 'POST',
    path: '/api/tunnels/{tunnelId}/shares',
    options: {
        ...describeRoute('Share a tunnel', {
            tag: 'tunnels',
            notes: NOTES,
            answer: newShareAnswer,
            example: { share: shareExample },
            status: 201,
            errors: ['TUNNEL_NOT_FOUND', 'FORBIDDEN', 'USER_NOT_FOUND', 'ALREADY_SHARED', 'QUOTA_EXCEEDED'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'tunnel:write' } },
        validate: { params: tunnelParams, payload: createSharePayload },
    },
    handler: async ({ auth, params, payload }) => items.share(auth.credentials.actor, params.tunnelId, payload),
});
