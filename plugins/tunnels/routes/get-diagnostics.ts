import { describeRoute } from '../../../src/http/describe-route.ts';
import { diagnosticsAnswer, diagnosticsExample } from '../diagnostics-schemas.ts';
import { tunnelParams, type TunnelParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Diagnostics } from '../diagnostics-service.ts';

export const getDiagnostics = (diagnostics: Diagnostics): ServerRoute<{ Params: TunnelParams }> => ({
    method: 'GET',
    path: '/api/tunnels/{tunnelId}/diagnostics',
    options: {
        ...describeRoute('Test a tunnel step by step', {
            tag: 'tunnels',
            notes: 'The tests run now, the last ones where the agent is. It takes ten seconds at most.',
            answer: diagnosticsAnswer,
            example: { diagnostics: diagnosticsExample },
            errors: ['TUNNEL_NOT_FOUND'],
            rateLimit: { limit: 10, window: 60 },
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: tunnelParams },
    },
    handler: async ({ auth, params }) => ({
        diagnostics: await diagnostics.run(auth.credentials.actor, params.tunnelId),
    }),
});
