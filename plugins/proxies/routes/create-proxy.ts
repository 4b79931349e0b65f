import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { type CreateProxy, createProxyPayload, proxyAnswer, proxyExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

const NOTES = `A base URL in front of 1 to 20 tunnels: \`/api/proxies/{id}/http/…\`. Start the proxy to have it take requests.`;

export const createProxy = (proxies: Proxies): ServerRoute<{ Payload: CreateProxy }> => ({
    method: 'POST',
    path: '/api/proxies',
    options: {
        ...describeRoute('Create a proxy', {
            tag: 'proxies',
            notes: NOTES,
            answer: proxyAnswer,
            example: { proxy: proxyExample },
            status: 201,
            errors: ['TUNNEL_NOT_FOUND', 'NAME_TAKEN', 'QUOTA_EXCEEDED'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'proxy:write' } },
        validate: { payload: createProxyPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const proxy = await proxies.create(auth.credentials.actor, payload);
        return h.response({ proxy }).etag(etagOf(proxy));
    },
});
