import { describeRoute } from '../../../src/http/describe-route.ts';
import { proxyParams, type ProxyParams } from '../schemas.ts';
import { healthAnswer, healthExample } from '../state-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const getHealth = (proxies: Proxies): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'GET',
    path: '/api/proxies/{proxyId}/health',
    options: {
        ...describeRoute('Read how the members of a proxy are', {
            tag: 'proxies',
            answer: healthAnswer,
            example: { health: healthExample },
            errors: ['PROXY_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'proxy:read' } },
        validate: { params: proxyParams },
    },
    handler: async ({ auth, params }) => ({ health: await proxies.health(auth.credentials.actor, params.proxyId) }),
});
