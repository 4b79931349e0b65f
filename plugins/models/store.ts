import { scanKeys } from '../../src/redis/client.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { luaFile } from '../../src/redis/lua-file.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { KeyName, KeyOwner } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What a provider key is sealed for: it opens for no other user and no other provider. */
export const providerKeyPurpose = ({ tenantId, userId }: KeyOwner, name: string): string =>
    `provider-key ${tenantId} ${userId} ${name}`;

/** The field beside a key with the time of its last use. */
export const usedField = (name: KeyName): string => `${name}:used`;

export const providerKeysKey = ({ tenantId, userId }: KeyOwner): string =>
    tenantKey(tenantId, 'user', userId, 'provider-keys');

/** The sealed API keys of users: a hash per user, and their names in the user's record, where admission finds them. */
export class ProviderKeyStore {
    readonly #users: UserService;
    readonly #change: RunScript;
    readonly #use: RunScript;

    constructor(store: Datastore, users: UserService) {
        this.#users = users;
        this.#change = store.script(lua('change-keys'));
        this.#use = store.script(lua('use-key'));
    }

    key(owner: KeyOwner): string {
        return providerKeysKey(owner);
    }

    /** Whether it was done: not for a user who is not in standing any more. */
    async put(owner: KeyOwner, keys: { name: KeyName; sealed: string }[], outbox: Outbox): Promise<boolean> {
        const set = keys.flatMap(({ name, sealed }) => [name, sealed]);
        // A new key was not used yet.
        const clear = keys.map(({ name }) => usedField(name));
        return (await this.#run(owner, { set, clear }, outbox)) === 1;
    }

    /** Whether there was one. */
    async remove(owner: KeyOwner, name: KeyName, outbox: Outbox): Promise<boolean> {
        const change = { set: [], clear: [name, usedField(name)], needs: name };
        return (await this.#run(owner, change, outbox)) === 1;
    }

    /** The sealed key, whose use is noted. */
    async use(owner: KeyOwner, name: KeyName, outbox: Outbox): Promise<string | null> {
        const keys = [this.key(owner), ...outboxKeys(owner.tenantId)];
        return (await this.#use(keys, [JSON.stringify({ name, ...outboxLists(outbox) })])) as string | null;
    }

    #run(owner: KeyOwner, change: object, outbox: Outbox): Promise<unknown> {
        const { tenantId, userId } = owner;
        const keys = [this.#users.key(tenantId, userId), this.key(owner), ...outboxKeys(tenantId)];
        return this.#change(keys, [JSON.stringify({ ...change, ...outboxLists(outbox) })]);
    }
}

/** How many users are seen to at once. */
const BATCH = 100;

/** How many keys were sealed again, and how many no master key opens any more. */
export interface Resealed {
    resealed: number;
    lost: number;
}

/**
 * Seals every user's keys with the newest master key, where another one was used. It may be repeated, and run while
 * replicas work: a key that is changed meanwhile stays as it was changed.
 */
export async function resealProviderKeys(store: Datastore, vault: Vault): Promise<Resealed> {
    const replace = store.script(luaFile('reseal-fields'));
    const total: Resealed = { resealed: 0, lost: 0 };
    for await (const found of scanKeys(store.redis, 'tenant:{*}:user:*:provider-keys', BATCH)) {
        const batch = await Promise.all(
            found.map(async (key) => {
                const { changes, lost } = resealedFields(key, await store.redis.hgetall(key), vault);
                return { resealed: changes.length > 0 ? Number(await replace([key], changes)) : 0, lost };
            }),
        );
        for (const { resealed, lost } of batch) {
            total.resealed += resealed;
            total.lost += lost;
        }
    }
    return total;
}

/** The `field, old, new, …` of the keys in a user's hash that another than the newest master key sealed. */
function resealedFields(key: string, fields: Record<string, string>, vault: Vault) {
    const [, tenantId = '', userId = ''] = /^tenant:\{(.+)\}:user:(.+):provider-keys$/.exec(key) ?? [];
    const changes: string[] = [];
    let lost = 0;
    for (const [name, sealed] of Object.entries(fields)) {
        if (name.includes(':') || vault.isCurrent(sealed)) continue;
        const purpose = providerKeyPurpose({ tenantId, userId }, name);
        const text = vault.open(sealed, purpose);
        if (text === null) lost++;
        else changes.push(name, sealed, vault.seal(text, purpose));
    }
    return { changes, lost };
}
