import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { proxyAnswer, proxyExample, proxyParams, type ProxyParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const deleteProxy = (proxies: Proxies): ServerRoute<{ Params: ProxyParams }> => ({
    method: 'DELETE',
    path: '/api/proxies/{proxyId}',
    options: {
        ...describeRoute('Delete a proxy', {
            tag: 'proxies',
            notes: 'With its figures. The tunnels behind it stay.',
            answer: proxyAnswer,
            example: { proxy: proxyExample },
            errors: ['PROXY_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'proxy:write' } },
        validate: { params: proxyParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, headers }) => ({
        proxy: await proxies.delete(auth.credentials.actor, params.proxyId, revisionOf(headers)),
    }),
});
