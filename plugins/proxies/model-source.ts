import { withCatalogueErrors } from '../tunnels/api.ts';

import type { ProxyService } from './api.ts';
import type { ProxyStore } from './store.ts';
import type { ModelSource } from '../models/api.ts';

/** The newest of one's own are looked at. */
const LOOKED_AT = 100;

export interface ModelSourceParts {
    proxies: Pick<ProxyService, 'get' | 'relay'>;
    store: ProxyStore;
}

/** What is behind users' proxies, for calls of models. One that is idle is not woken to list what it offers. */
export const modelSource = ({ proxies, store }: ModelSourceParts): ModelSource => ({
    request: async (user, proxyId, request) => withCatalogueErrors(await proxies.relay(user, proxyId, request)),

    async check(user, proxyId) {
        await proxies.get(user, proxyId);
    },

    async connected({ tenantId, userId: ownerId }, most) {
        const page = { order: 'created', direction: 'desc', limit: LOOKED_AT } as const;
        const { items } = await store.records.list({ tenantId, ownerId }, page);
        return items.filter(({ status }) => status === 'running' || status === 'degraded').slice(0, most);
    },
});
