import { describeRoute } from '../../../src/http/describe-route.ts';
import { proxiesAnswer, proxyExample, proxyQuery, type ProxyQuery } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Proxies } from '../service.ts';

export const listProxies = (proxies: Proxies): ServerRoute<{ Query: ProxyQuery }> => ({
    method: 'GET',
    path: '/api/proxies',
    options: {
        ...describeRoute('List your proxies', {
            tag: 'proxies',
            answer: proxiesAnswer,
            example: { proxies: [proxyExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'proxy:read' } },
        validate: { query: proxyQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const { items, pagination } = await proxies.list(auth.credentials.actor, { ...query, direction });
        return { proxies: items, pagination };
    },
});
