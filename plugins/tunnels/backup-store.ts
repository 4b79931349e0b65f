import { activityKey, daysKey, endpointsKey, healthKey, sharedWithKey, sharesKey } from './keys-store.ts';
import { DAYS_KEPT, type TunnelStore } from './store.ts';
import { toAggregate, withoutTenant } from '../../src/redis/stored-values.ts';

import type { ItemStore } from './item-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Aggregate } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

const DAY_MS = 86_400_000;

/** Whole tunnels for backups, and what else there is of one. */
export function createBackupStore(store: Datastore, tunnels: TunnelStore, items: ItemStore, clock: Clock) {
    const read = store.rawScript(new URL('./lua/read-aggregate.lua', import.meta.url));
    return {
        read: async (tenantId: string, id: string): Promise<Aggregate | null> => {
            const place = { tenantId, tunnelId: id };
            const lists = [endpointsKey(place), sharesKey(place)];
            const keys = [tunnels.records.key(tenantId, id), ...lists, ...items.prefixes(tenantId)];
            return toAggregate(tenantId, 'tunnel', id, await read(keys, []));
        },

        /** All shares go, those by token too; the lists go with whom they name. */
        leftovers: async (tenantId: string, id: string): Promise<string[]> => {
            const place = { tenantId, tunnelId: id };
            const shares = await store.redis.zrange(sharesKey(place), 0, '-1');
            const keys = shares.map((share) => items.shares.key(tenantId, share));
            const lists = [endpointsKey(place), sharesKey(place), sharedWithKey(place), healthKey(place)];
            return [...keys, ...lists].map((key) => withoutTenant(tenantId, key));
        },

        /** What is told of the past of a tunnel that is gone. */
        forget: async (tenantId: string, id: string): Promise<void> => {
            const place = { tenantId, tunnelId: id };
            const days = Array.from({ length: DAYS_KEPT + 2 }, (_, n) => clock() - (n - 1) * DAY_MS);
            const names = days.map((day) => new Date(day).toISOString().slice(0, 10).replaceAll('-', ''));
            await store.redis.unlink(activityKey(place), ...names.map((name) => daysKey(place) + name));
        },
    };
}

export type BackupStore = ReturnType<typeof createBackupStore>;
