import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { connectPatiently, sharedRedis } from './redis.ts';
import { silentLogger } from './store.ts';
import { Relay, type RelayParts } from '../../plugins/events/relay.ts';
import { EventStore } from '../../plugins/events/store.ts';
import { Drain } from '../../src/drain.ts';
import { appendOutbox, type AppendOutbox } from '../../src/redis/append-outbox.ts';
import { createDatastore } from '../../src/redis/datastore.ts';
import { Signals } from '../../src/redis/signals.ts';

import type { Redis } from 'ioredis';
import type { TenantEvent } from '../../plugins/events/api.ts';

/** A process that hands events over, without the program around it. */
export interface TestWorker {
    redis: Redis;
    store: EventStore;
    append: AppendOutbox;
    relay: Relay;
    stop: () => Promise<void>;
}

export const newConsumer = (): string => `test-${randomBytes(6).toString('hex')}`;

export async function startWorker(options: Partial<RelayParts> = {}): Promise<TestWorker> {
    const redis = await connectPatiently({ path: (await sharedRedis()).path }, silentLogger);
    const datastore = createDatastore(redis);
    const store = new EventStore(datastore);
    const signals = new Signals(redis, silentLogger);
    const relay = new Relay({ store, signals, drain: new Drain(), logger: silentLogger, ...options });
    return {
        redis,
        store,
        append: appendOutbox(datastore),
        relay,
        stop: async () => {
            await relay.stop();
            signals.close();
            redis.disconnect();
        },
    };
}

/** What a consumer was handed: a batch a call. */
export class Handed {
    readonly calls: { tenantId: string; events: TenantEvent[] }[] = [];

    readonly take = async (tenantId: string, events: TenantEvent[]): Promise<void> => {
        this.calls.push({ tenantId, events });
    };

    ids(tenantId: string): string[] {
        return this.calls
            .filter((call) => call.tenantId === tenantId)
            .flatMap(({ events }) => events.map(({ id }) => id));
    }
}

/** Appends so many events, each with its number, by scripts of 100 each. */
export async function appendMany(append: AppendOutbox, tenantId: string, count: number): Promise<void> {
    for (let from = 0; from < count; from += 100) {
        const size = Math.min(100, count - from);
        const events = Array.from({ length: size }, (_, n) => ({
            type: 'thread.updated' as const,
            data: { number: from + n, userId: 'user_1' },
        }));
        await append(tenantId, { events });
    }
}

/** Waits until it is so, for as long as a test may take. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (let tries = 0; tries < 2_000; tries++) {
        if (await isSo()) return;
        await sleep(10);
    }
    throw new Error(`It never came to that: ${what}`);
}
