import { listenersOf } from '../../src/redis/client.ts';
import { RecordCodec, type RecordBase } from '../../src/redis/codec.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Maintenance, PlatformSettings } from './api.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { TierFigures } from '../tenants/api.ts';

/** Tells processes that the configuration has changed. */
export const CONFIG_NEWS = 'platform:config';
/** Tells, as `<process> <revision>`, that a process obeys. */
export const CONFIG_OBEYED = 'platform:config:obeyed';

/** What was set; null where nothing was. */
export interface StoredConfig {
    registration: PlatformSettings['registration'] | null;
    maintenance: Maintenance | null;
    limits: TierFigures | null;
    /** 0: nothing was ever set. */
    revision: number;
    updatedAt: string | null;
}

/** What is known before anything was read. */
export const NOTHING_SET: StoredConfig = {
    registration: null,
    maintenance: null,
    limits: null,
    revision: 0,
    updatedAt: null,
};

type Choices = Pick<StoredConfig, 'registration' | 'maintenance' | 'limits'>;

/** The configuration of the platform: one record in its slot. */
export function createConfigStore(store: Datastore) {
    const { redis } = store;
    const codec = new RecordCodec<RecordBase & Choices>({ registration: 'text', maintenance: 'json', limits: 'json' });
    const key = tenantKey(PLATFORM, 'config');
    const run = store.script(new URL('./lua/change-config.lua', import.meta.url));

    const stored = ({ id: _id, createdAt: _createdAt, revision, ...found }: RecordBase & Choices): StoredConfig => ({
        ...found,
        revision: revision ?? 0,
    });

    return {
        read: async (): Promise<StoredConfig> => stored(codec.decodeHash(await redis.hgetall(key))),

        /** @returns Null: it is another revision */
        async change(revision: number, choices: Choices, outbox: Outbox) {
            const change = { revision: String(revision), ...codec.encode(choices), ...outboxLists(outbox) };
            const keys = [key, ...outboxKeys(PLATFORM)];
            const reply = await run(keys, [JSON.stringify(change), CONFIG_NEWS]);
            const [code, flat] = reply as [number, string[]];
            return code === 1
                ? { config: stored(codec.decode(flat)), processes: await listenersOf(redis, CONFIG_NEWS) }
                : null;
        },

        async tellObeyed(process: string, revision: number): Promise<void> {
            await redis.publish(CONFIG_OBEYED, `${process} ${revision}`);
        },
    };
}

export type ConfigStore = ReturnType<typeof createConfigStore>;
