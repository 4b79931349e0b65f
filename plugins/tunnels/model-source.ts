import { withCatalogueErrors } from './gateway/catalogue-body.ts';
import { linkStatus } from './public-tunnel.ts';

import type { TunnelService } from './api.ts';
import type { TunnelStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { ModelSource } from '../models/api.ts';

/** Of one's own, and of what others share, the newest are looked at. */
const LOOKED_AT = 100;

export interface ModelSourceParts {
    tunnels: Pick<TunnelService, 'get' | 'relay'>;
    store: TunnelStore;
    clock: Clock;
}

/** What is behind users' tunnels, for calls of models. */
export const modelSource = ({ tunnels, store, clock }: ModelSourceParts): ModelSource => ({
    request: async (user, tunnelId, request) => withCatalogueErrors(await tunnels.relay(user, tunnelId, request)),

    async check(user, tunnelId) {
        await tunnels.get(user, tunnelId, 'read');
    },

    async connected({ tenantId, userId: ownerId }, most) {
        const lists = ['created', 'shared'].map((order) =>
            store.records.list({ tenantId, ownerId }, { order, direction: 'desc', limit: LOOKED_AT }),
        );
        const found = (await Promise.all(lists)).flatMap(({ items }) => items);
        return found.filter((tunnel) => linkStatus(tunnel, clock()).isConnected).slice(0, most);
    },
});
