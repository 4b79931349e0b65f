import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { proxyAnswer, proxyExample, proxyParams, type ProxyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const getProxy = (proxies: Proxies): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'GET',
    path: '/api/proxies/{proxyId}',
    options: {
        ...describeRoute('Read a proxy', {
            tag: 'proxies',
            answer: proxyAnswer,
            example: { proxy: proxyExample },
            errors: ['PROXY_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'proxy:read' } },
        validate: { params: proxyParams },
    },
    handler: async ({ auth, params }, h) => {
        const proxy = await proxies.get(auth.credentials.actor, params.proxyId);
        return h.response({ proxy }).etag(etagOf(proxy));
    },
});
