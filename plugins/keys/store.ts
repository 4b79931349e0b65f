import { createRevocations } from './revocation-store.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { Collection, type Place } from '../../src/redis/collection.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';
import { withoutTenant } from '../../src/redis/stored-values.ts';

import type { ApiKey } from './api.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { TenantService } from '../tenants/api.ts';

/** A key still to be created. */
export type NewKey = Omit<ApiKey, 'revision' | 'createdAt' | 'updatedAt'>;
/** The key, or how many its user may have and has. */
export type Creation = { key: ApiKey } | { most: number };

/** Service API keys: `key:<id>` and `user:<id>:keys`. The admission script of `auth` reads the records. */
export function createKeyStore(store: Datastore, vault: Vault, tenants: TenantService) {
    const records = new Collection<ApiKey>(store, vault, {
        name: 'key',
        owner: 'userId',
        fields: {
            userId: 'text',
            name: 'text',
            scopes: 'json',
            requestsPerMinute: 'number',
            validUntil: 'time',
            lastUsedAt: 'time',
            hash: 'text',
            previousHash: 'text',
            previousUntil: 'time',
        },
        orders: { created: { by: 'createdAt', index: (userId) => ['user', userId, 'keys'] } },
        notFound: 'KEY_NOT_FOUND',
    });
    const create = store.script(new URL('./lua/create-key.lua', import.meta.url));

    return {
        records,
        async create({ tenantId, ownerId = '' }: Place, key: NewKey, most: number, outbox: Outbox): Promise<Creation> {
            const { id, fields } = records.draft(tenantId, key).change;
            const order = records.orderKey({ tenantId, ownerId }, 'created');
            const keys = [records.key(tenantId, id), order, tenants.key(tenantId), ...outboxKeys(tenantId)];
            const reply = await create(keys, [JSON.stringify({ id, fields, most, ...outboxLists(outbox) })]);
            const [created, figure] = reply as [number, number];
            if (created === 0) return { most: figure };
            const time = isoTime(figure);
            return { key: { ...key, revision: 1, createdAt: time, updatedAt: time } };
        },

        ...createRevocations(store, records),

        /** What there is of a key besides its record, by the parts after the tenant. */
        rateKeys: (tenantId: string, id: string): string[] => [withoutTenant(tenantId, rateKey(tenantId, id))],

        /** Removes the keys of a user. */
        purge: (tenantId: string, userId: string): Promise<void> =>
            records.purge({ tenantId, ownerId: userId }, 'created', (ids) =>
                store.redis.unlink(ids.flatMap((id) => [records.key(tenantId, id), rateKey(tenantId, id)])),
            ),
    };
}

export type KeyStore = ReturnType<typeof createKeyStore>;

const rateKey = (tenantId: string, keyId: string): string => tenantKey(tenantId, 'rate', 'key', keyId);
