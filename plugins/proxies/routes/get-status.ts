import { describeRoute } from '../../../src/http/describe-route.ts';
import { proxyParams, type ProxyParams } from '../schemas.ts';
import { stateAnswer, stateExample } from '../state-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const getStatus = (proxies: Proxies): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'GET',
    path: '/api/proxies/{proxyId}/status',
    options: {
        ...describeRoute('Read how a proxy is', {
            tag: 'proxies',
            answer: stateAnswer,
            example: { status: stateExample },
            errors: ['PROXY_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'proxy:read' } },
        validate: { params: proxyParams },
    },
    handler: async ({ auth, params }) => ({ status: await proxies.status(auth.credentials.actor, params.proxyId) }),
});
