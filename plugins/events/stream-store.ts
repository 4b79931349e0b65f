import { tenantKey } from '../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** A place of a process that died is free after that time; a living one renews it. */
const LEASE_MS = 30_000;
/** So long `outbox.lua` tells of events when nobody says any more that he listens. */
const LISTENED_MS = 60_000;

export interface StreamUser {
    tenantId: string;
    userId: string;
}

/** Who follows the events of a tenant live. */
export class StreamStore {
    readonly #redis: Datastore['redis'];
    readonly #run: Record<'take' | 'renew' | 'find', RunScript>;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#run = {
            take: store.script(lua('take-stream')),
            renew: store.script(lua('renew-streams')),
            find: store.script(lua('find-place')),
        };
    }

    /** Whether there is a place for one more stream of that user. */
    async take(user: StreamUser, streamId: string, most: number): Promise<boolean> {
        return (await this.#run.take([streamsKey(user)], [streamId, most, LEASE_MS])) === 1;
    }

    async renew(user: StreamUser, streamIds: string[]): Promise<void> {
        await this.#run.renew([streamsKey(user)], [LEASE_MS, ...streamIds]);
    }

    async release(user: StreamUser, streamId: string): Promise<void> {
        await this.#redis.zrem(streamsKey(user), streamId);
    }

    /** From now on `outbox.lua` tells of events on the tenant's channel, for some time. */
    async listen(tenantId: string): Promise<void> {
        await this.#redis.set(tenantKey(tenantId, 'events', 'listeners'), '1', 'PX', LISTENED_MS);
    }

    /** Where a reader goes on: after what it has seen, or at the end; and whether events between may be gone. */
    async find(tenantId: string, seen: string | null): Promise<{ place: string; isLost: boolean }> {
        const [place, lost] = (await this.#run.find([channelOf(tenantId)], [seen ?? ''])) as [string, number];
        return { place, isLost: lost === 1 };
    }
}

/** The channel on which `outbox.lua` tells those who listen that there are events: named as the stream. */
export const channelOf = (tenantId: string): string => tenantKey(tenantId, 'events');

const streamsKey = ({ tenantId, userId }: StreamUser): string => tenantKey(tenantId, 'user', userId, 'event-streams');
