import { apiError } from '../../src/http/errors.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Micros } from '../../src/money.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What a month may cost, and what it has cost. */
export interface Limit {
    /** Null: there is none. */
    limit: Micros | null;
    spent: Micros;
    held: Micros;
}

export interface Limits {
    lowCredit: Micros;
    /** By `tenant`, which is always there, `user:<id>` and `key:<id>`. */
    byName: Map<string, Limit>;
}

export interface LimitChange {
    /** Null takes it away. */
    byName: Map<string, Micros | null>;
    lowCredit?: Micros | null;
    outbox: Outbox;
}

/** What may be spent in a month, by the tenant and by its users and API keys. */
export class LimitStore {
    readonly #redis: Datastore['redis'];
    readonly #read: RunScript;
    readonly #set: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#read = store.script(lua('read-limits'));
        this.#set = store.script(lua('set-limits'));
    }

    async read(tenantId: string): Promise<Limits> {
        return limitsOf((await this.#read([tenantKey(tenantId, 'credits')], [])) as Reply);
    }

    /** @throws USER_NOT_FOUND, KEY_NOT_FOUND */
    async set(tenantId: string, { byName, lowCredit, outbox }: LimitChange): Promise<Limits> {
        const all = [...byName];
        const change = {
            set: all.flatMap(([name, limit]) => (limit === null ? [] : [name, String(limit)])),
            remove: all.filter(([, limit]) => limit === null).map(([name]) => name),
            ...(lowCredit !== undefined && { lowCredit: lowCredit === null ? '' : String(lowCredit) }),
            ...outboxLists(outbox),
        };
        const records = ['user', 'key'].map((kind) => `${tenantKey(tenantId, kind)}:`);
        const keys = [tenantKey(tenantId, 'credits'), ...outboxKeys(tenantId), ...records];
        const reply = (await this.#set(keys, [JSON.stringify(change)])) as Reply | [code: -1, name: string];
        if (reply[0] === 1) return limitsOf(reply);
        const [kind, id] = reply[1].split(':');
        throw apiError(kind === 'user' ? 'USER_NOT_FOUND' : 'KEY_NOT_FOUND', { details: { id } });
    }

    async forgetUser(tenantId: string, userId: string): Promise<void> {
        await this.#redis.hdel(tenantKey(tenantId, 'credits', 'limits'), `user:${userId}`);
    }
}

type Reply = [code: 1, [lowCredit: string, flat: string[]]];

function limitsOf([, [lowCredit, flat]]: Reply): Limits {
    const byName = new Map<string, Limit>();
    for (let at = 0; at < flat.length; at += 4) {
        const [name = '', limit = '', spent = '', held = ''] = flat.slice(at, at + 4);
        byName.set(name, { limit: limit === '' ? null : BigInt(limit), spent: BigInt(spent), held: BigInt(held) });
    }
    return { lowCredit: BigInt(lowCredit), byName };
}
