import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import {
    proxyAnswer,
    proxyExample,
    proxyParams,
    type ProxyParams,
    type UpdateProxy,
    updateProxyPayload,
} from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const updateProxy = (proxies: Proxies): ServerRoute<{ Params: ProxyParams; Payload: UpdateProxy }> => ({
    method: 'PATCH',
    path: '/api/proxies/{proxyId}',
    options: {
        ...describeRoute('Change a proxy', {
            tag: 'proxies',
            answer: proxyAnswer,
            example: { proxy: { ...proxyExample, revision: 2 } },
            errors: ['PROXY_NOT_FOUND', 'TUNNEL_NOT_FOUND', 'REVISION_MISMATCH', 'NAME_TAKEN'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'proxy:write' } },
        validate: { params: proxyParams, payload: updateProxyPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const proxy = await proxies.update(actor, params.proxyId, payload, revisionOf(headers));
        return h.response({ proxy }).etag(etagOf(proxy));
    },
});
