import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { doneBy, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';
import { makeApiKey } from '../../src/security/api-keys.ts';

import type { ApiKey } from './api.ts';
import type { CreateKey, UpdateKey } from './schemas.ts';
import type { KeyStore, NewKey } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Tiers } from '../tenants/api.ts';

/** A key with its text, which is nowhere else. */
export interface FreshKey {
    key: ApiKey;
    secret: string;
}

export type KeyService = ReturnType<typeof createKeyService>;

/** Service API keys of a user; another user's are not found. */
export function createKeyService(store: KeyStore, tiers: Tiers, clock: Clock) {
    const { records } = store;
    return {
        /** @throws FORBIDDEN for a scope that the user has not, QUOTA_EXCEEDED */
        async create(actor: Actor, details: CreateKey): Promise<FreshKey> {
            checkScopes(actor, details.scopes);
            const id = newId('key');
            const { text, digest } = makeApiKey(actor.tenantId, id);
            const outbox = changeOf(actor, 'create', id, { scopes: details.scopes });
            const most = tiers.limitsOf(actor.tier, null).apiKeys;
            const creation = await store.create(placeOf(actor), draftOf(actor, id, digest, details), most, outbox);
            if ('key' in creation) return { key: creation.key, secret: text };
            const limit = creation.most;
            throw apiError('QUOTA_EXCEEDED', { details: { quota: 'apiKeys', used: limit, limit, resetsAt: null } });
        },

        list: (actor: Actor, query: PageQuery): Promise<Page<ApiKey>> => records.list(placeOf(actor), query),

        /** @throws KEY_NOT_FOUND */
        get: (actor: Actor, id: string): Promise<ApiKey> => records.get(placeOf(actor), id),

        /** @throws KEY_NOT_FOUND, REVISION_MISMATCH, FORBIDDEN for a scope that the user has not */
        update(actor: Actor, id: string, { expiresAt, ...changes }: UpdateKey, revision?: number): Promise<ApiKey> {
            checkScopes(actor, changes.scopes ?? []);
            const all = { ...changes, ...(expiresAt !== undefined && { validUntil: expiresAt }) };
            const outbox = changeOf(actor, 'update', id, { fields: Object.keys(all) });
            return records.update(placeOf(actor), id, all, { revision, outbox });
        },

        /**
         * Gives the key a new secret; the one before is taken for the grace. Of several at once one succeeds.
         *
         * @throws KEY_NOT_FOUND, REVISION_MISMATCH
         */
        async rotate(actor: Actor, id: string, graceSeconds: number): Promise<FreshKey> {
            const { hash, revision } = await records.get(placeOf(actor), id);
            const { text, digest } = makeApiKey(actor.tenantId, id);
            const previous =
                graceSeconds === 0
                    ? { previousHash: null, previousUntil: null }
                    : { previousHash: hash, previousUntil: isoTime(clock() + graceSeconds * 1000) };
            const outbox = changeOf(actor, 'rotate', id, { graceSeconds });
            const changes = { hash: digest, ...previous };
            const key = await records.update(placeOf(actor), id, changes, { revision, outbox });
            return { key, secret: text };
        },

        /** @throws KEY_NOT_FOUND, REVISION_MISMATCH */
        async revoke(actor: Actor, id: string, revision?: number): Promise<void> {
            await store.revoke(placeOf(actor), id, { revision, outbox: changeOf(actor, 'revoke', id) });
        },
    };
}

const draftOf = ({ userId }: Actor, id: string, hash: string, { expiresAt, ...details }: CreateKey): NewKey => ({
    id,
    userId,
    ...details,
    validUntil: expiresAt,
    lastUsedAt: null,
    hash,
    previousHash: null,
    previousUntil: null,
});

const placeOf = ({ tenantId, userId }: Actor) => ({ tenantId, ownerId: userId });

function checkScopes({ permissions }: Actor, scopes: string[]): void {
    const missing = scopes.find((scope) => !permissions.includes(scope));
    if (missing !== undefined) throw apiError('FORBIDDEN', { details: { permission: missing } });
}

const HAPPENED = { create: 'created', update: 'updated', rotate: 'rotated', revoke: 'revoked' } as const;

function changeOf(actor: Actor, action: keyof typeof HAPPENED, keyId: string, details?: object): Outbox {
    const event: EventEntry = { type: `key.${HAPPENED[action]}`, data: { keyId, userId: actor.userId } };
    return { events: [event], audit: [doneBy(actor, 'key', action, keyId, details)] };
}
