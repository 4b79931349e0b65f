import type { ProxyPlace, ProxyRecords } from './api.ts';
import type { StateStore } from './state-store.ts';
import type { ProxyStore } from './store.ts';
import type { WatchStore } from './watch-store.ts';

/** When a proxy is looked at again whose members all came to be unhealthy. */
const RECOVERY_MS = 5_000;

/** What the traffic, and other features, are given: hapi exposes own properties only. */
export function createProxyRecords(store: ProxyStore, state: StateStore, watch: WatchStore): ProxyRecords {
    return {
        get: ({ tenantId, userId }, proxyId) => store.records.get({ tenantId, ownerId: userId }, proxyId),

        async use({ tenantId, userId }, proxyId) {
            const place = { tenantId, proxyId };
            const { proxy, health, hasWoken } = await store.use(place, userId);
            if (hasWoken) await watch.watch(place, 0);
            return { proxy, health };
        },

        async note(place, tunnelId, seen) {
            const latencyMs = seen.latencyMs && Math.round(seen.latencyMs);
            const isDown = await state.note(place, { tunnelId, ...seen, latencyMs });
            if (isDown) await watch.watch(place, RECOVERY_MS);
        },

        key: (place: ProxyPlace): string => store.key(place),
    };
}
