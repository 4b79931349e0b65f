import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import {
    proxyAnswer,
    proxyExample,
    proxyParams,
    type ProxyParams,
    type ScaleProxy,
    scaleProxyPayload,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const scaleProxy = (proxies: Proxies): ServerRoute<{ Params: ProxyParams; Payload: ScaleProxy }> => ({
    method: 'POST',
    path: '/api/proxies/{proxyId}/scale',
    options: {
        ...describeRoute('Give a proxy more or fewer replicas', {
            tag: 'proxies',
            notes: 'Each has room for `maxConnections` calls. With `autoScale` the number follows the load from then on.',
            answer: proxyAnswer,
            example: { proxy: { ...proxyExample, replicas: 2, revision: 2 } },
            errors: ['PROXY_NOT_FOUND', 'QUOTA_EXCEEDED'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'proxy:write' } },
        validate: { params: proxyParams, payload: scaleProxyPayload },
    },
    handler: async ({ auth, params, payload }, h) => {
        const proxy = await proxies.scale(auth.credentials.actor, params.proxyId, payload.replicas);
        return h.response({ proxy }).etag(etagOf(proxy));
    },
});
