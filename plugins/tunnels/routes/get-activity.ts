import { describeRoute } from '../../../src/http/describe-route.ts';
import {
    activityAnswer,
    activityExample,
    activityQuery,
    type ActivityQuery,
    tunnelParams,
    type TunnelParams,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { TunnelItems } from '../item-service.ts';

export const getActivity = (items: TunnelItems): ServerRoute<{ Params: TunnelParams; Query: ActivityQuery }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/activity',
    options: {
        ...describeRoute('Read what happened to a tunnel', {
            tag: 'tunnels',
            notes: 'The newest first; the last thousand entries are kept.',
            answer: activityAnswer,
            example: { entries: [activityExample] },
            errors: ['TUNNEL_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams, query: activityQuery },
    },
    handler: async ({ auth, params, query }) => ({
        entries: await items.activity(auth.credentials.actor, params.tunnelId, query.limit),
    }),
});
