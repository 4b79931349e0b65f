import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Datastore } from '../../src/redis/datastore.ts';

const place = tenantKey(PLATFORM, 'audit-round');

/** How far the round through all tenants has come. */
export class RoundStore {
    readonly #redis: Datastore['redis'];

    constructor(store: Datastore) {
        this.#redis = store.redis;
    }

    /** Null before the first tenant. */
    place(): Promise<string | null> {
        return this.#redis.get(place);
    }

    async setPlace(cursor: string | null): Promise<void> {
        await (cursor === null ? this.#redis.del(place) : this.#redis.set(place, cursor));
    }
}
