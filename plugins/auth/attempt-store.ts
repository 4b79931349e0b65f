import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Whose password somebody tries, and from where; `account` is an opaque name. */
export interface Attempt {
    account: string;
    ipAddress: string;
}

/** Failed attempts at passwords, in the platform's slot. */
export class AttemptStore {
    readonly #redis: Datastore['redis'];
    readonly #take: RunScript;
    readonly #giveBack: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#take = store.script(lua('take-attempt'));
        this.#giveBack = store.script(lua('return-attempt'));
    }

    /** Takes an attempt at a password; milliseconds to wait where there is none to be had. */
    async take(attempt: Attempt, most: { account: number; address: number }): Promise<number> {
        return (await this.#take(keysOf(attempt), [most.account, most.address])) as number;
    }

    /** Gives an attempt back that did not fail; after a right password the account begins anew. */
    async giveBack(attempt: Attempt, wasRight: boolean): Promise<void> {
        await this.#giveBack(keysOf(attempt), [wasRight ? 1 : 0]);
    }

    async forget(account: string): Promise<void> {
        await this.#redis.unlink(failureKey('account', account));
    }
}

const keysOf = ({ account, ipAddress }: Attempt): string[] => [
    failureKey('account', account),
    failureKey('address', ipAddress),
];

const failureKey = (of: 'account' | 'address', id: string): string => tenantKey(PLATFORM, 'failures', of, id);
