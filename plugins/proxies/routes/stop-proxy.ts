import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { proxyAnswer, proxyExample, proxyParams, type ProxyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const stopProxy = (proxies: Proxies): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'POST',
    path: '/api/proxies/{proxyId}/stop',
    options: {
        ...describeRoute('Stop a proxy', {
            tag: 'proxies',
            notes: 'It takes no requests from then on, and those that run come to their end.',
            answer: proxyAnswer,
            example: { proxy: { ...proxyExample, status: 'stopped', reason: 'stopped', revision: 3 } },
            errors: ['PROXY_NOT_FOUND', 'INVALID_STATE'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'proxy:write' } },
        validate: { params: proxyParams },
    },
    handler: async ({ auth, params }, h) => {
        const proxy = await proxies.stop(auth.credentials.actor, params.proxyId);
        return h.response({ proxy }).etag(etagOf(proxy));
    },
});
