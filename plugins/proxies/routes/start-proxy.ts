import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { proxyAnswer, proxyExample, proxyParams, type ProxyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const startProxy = (proxies: Proxies): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'POST',
    path: '/api/proxies/{proxyId}/start',
    options: {
        ...describeRoute('Start a proxy', {
            tag: 'proxies',
            notes: 'It looks at its members first, for ten seconds at most: its status tells how they are.',
            answer: proxyAnswer,
            example: { proxy: { ...proxyExample, status: 'running', desired: 'running', revision: 2 } },
            errors: ['PROXY_NOT_FOUND', 'INVALID_STATE'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'proxy:write' } },
        validate: { params: proxyParams },
    },
    handler: async ({ auth, params }, h) => {
        const proxy = await proxies.start(auth.credentials.actor, params.proxyId);
        return h.response({ proxy }).etag(etagOf(proxy));
    },
});
