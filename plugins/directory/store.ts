import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { DirectoryPage, DirectoryQuery } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Longer than anybody may still be about to write what he has read of a tenant. */
const PURGED_HOLDS_S = 24 * 3600;
/** Entries that are written at once. */
const BATCH = 100;

const key = (...parts: string[]): string => tenantKey(PLATFORM, 'directory', ...parts);
const entriesKey = (tenantId: string): string => key('entries', tenantId);
const changesKey = (tenantId: string): string => tenantKey(tenantId, 'accounts', 'changed');

/** What a list is made of. */
export type Index = 'tenants' | 'users';

/** The account that a tenant itself is. */
export const TENANT = 'tenant';
/** Stands for all accounts of a tenant. */
export const ALL = '*';

/** An account as it is found: a user by the id, the tenant itself by `tenant`. One without a time does not exist. */
export interface Entry {
    account: string;
    /** Creation, in ms. */
    at?: number;
    terms?: string[];
    /** The lists it stands in. */
    facets?: string[];
}

/** Where an account is. */
export interface Place {
    tenantId: string;
    account: string;
}

type PageOf = DirectoryPage<Place>;

/** The directory in the platform's slot, and the notes of what has changed in those of the tenants. */
export class DirectoryStore {
    readonly #redis: Datastore['redis'];
    readonly #vault: Vault;
    readonly #run: Record<'put' | 'list' | 'search' | 'settle', RunScript>;

    constructor(store: Datastore, vault: Vault) {
        this.#redis = store.redis;
        this.#vault = vault;
        this.#run = {
            put: store.script(lua('put-entries')),
            list: store.script(lua('list-entries')),
            search: store.script(lua('search-entries')),
            settle: store.script(lua('settle-changes')),
        };
    }

    /** A number higher than all before. What is read after it was taken is written with it. */
    ticket = (): Promise<number> => this.#redis.incr(key('ticket'));

    async put(tenantId: string, ticket: number, entries: Entry[]): Promise<void> {
        const keys = [entriesKey(tenantId), key('purged', tenantId), key('by')];
        for (let at = 0; at < entries.length; at += BATCH) {
            const lines = entries.slice(at, at + BATCH).map((entry) => ({
                ...entry,
                member: `${tenantId}:${entry.account}`,
                index: entry.account === TENANT ? 'tenants' : 'users',
            }));
            await this.#run.put(keys, [ticket, JSON.stringify(lines)]);
        }
    }

    /** The accounts of a tenant that are in the directory. */
    accounts = (tenantId: string): Promise<string[]> => this.#redis.hkeys(entriesKey(tenantId));

    /** From now on nothing of the tenant is written; what there is can be taken out still. */
    async bar(tenantId: string): Promise<void> {
        await this.#redis.set(key('purged', tenantId), '1', 'EX', PURGED_HOLDS_S);
    }

    /** The accounts that have changed, each with how often. */
    changes = (tenantId: string): Promise<Record<string, string>> => this.#redis.hgetall(changesKey(tenantId));

    /** Takes the notes away of changes that were seen. */
    async settle(tenantId: string, changes: Record<string, string>): Promise<void> {
        const flat = Object.entries(changes).flat();
        for (let at = 0; at < flat.length; at += 2 * BATCH) {
            await this.#run.settle([changesKey(tenantId)], flat.slice(at, at + 2 * BATCH));
        }
    }

    /** A page of a list by creation. @throws INVALID_CURSOR */
    async list(index: Index, facet: string, { direction, limit, cursor }: DirectoryQuery): Promise<PageOf> {
        const order = key('by', index, facet, 'order');
        const list = `${order}:${direction}`;
        const from = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, list, cursor);
        const reply = await this.#run.list([order], [direction, limit, from.score, from.id]);
        const [totalCount, more, score, ...members] = reply as [number, number, string, ...string[]];
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id: members.at(-1) ?? '' }) : null;
        return {
            items: members.map(placeOf),
            pagination: { cursor: next, limit, hasMore: next !== null, totalCount },
        };
    }

    /** A page of those with a term that begins so. @throws INVALID_CURSOR */
    async search(index: Index, facet: string, begin: string, { limit, cursor }: DirectoryQuery): Promise<PageOf> {
        const terms = key('by', index, facet, 'terms');
        const list = `${terms}:${begin}`;
        const after = cursor === undefined ? '' : openCursor(this.#vault, list, cursor).score;
        const seen = Buffer.from(after, 'base64url').toString();
        const reply = await this.#run.search([terms, `${key('entries')}:`], [begin, seen, limit]);
        const [more, last, ...members] = reply as [number, string, ...string[]];
        const score = Buffer.from(last).toString('base64url');
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id: '-' }) : null;
        return { items: members.map(placeOf), pagination: { cursor: next, limit, hasMore: next !== null } };
    }

    /** How far the round through all tenants has come; null before the first. */
    place = (): Promise<string | null> => this.#redis.get(key('round'));

    async setPlace(cursor: string | null): Promise<void> {
        await (cursor === null ? this.#redis.del(key('round')) : this.#redis.set(key('round'), cursor));
    }

    /** When each of these tenants was compared as a whole (ms); null for one that never was. */
    async comparedAt(tenantIds: string[]): Promise<(number | null)[]> {
        if (tenantIds.length === 0) return [];
        const times = await this.#redis.hmget(key('compared'), ...tenantIds);
        return times.map((time) => (time === null ? null : Number(time)));
    }

    async setComparedAt(tenantId: string, time: number): Promise<void> {
        await this.#redis.hset(key('compared'), tenantId, time);
    }

    async forgetCompared(tenantId: string): Promise<void> {
        await this.#redis.hdel(key('compared'), tenantId);
    }
}

function placeOf(member: string): Place {
    const [tenantId = '', account = ''] = member.split(':');
    return { tenantId, account };
}
