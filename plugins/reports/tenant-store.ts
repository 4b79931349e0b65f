import { reportKeys, stateKey, tenantKeys } from './keys-store.ts';
import { flatHash } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';

import type { TenantFigures } from './figures.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

/** A tenant that nobody has read for longer has lost days between, as far as reports tell them. */
const MOST_DAYS = 31;

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What a tenant has come to, with how far it was read. */
export interface TenantRead extends TenantFigures {
    /** The day that it was read on, since the epoch, and the one that it was read from; -1 when it is the first read. */
    today: number;
    since: number;
    /** Something goes on that moves its sums without a request. */
    isBusy: boolean;
}

/** The sums of each tenant, in its own slot. */
export class TenantStore {
    readonly #redis: Datastore['redis'];
    readonly #infoKey: (tenantId: string) => string;
    readonly #read: RunScript;
    readonly #note: RunScript;

    constructor(store: Datastore, infoKey: (tenantId: string) => string) {
        this.#redis = store.redis;
        this.#infoKey = infoKey;
        this.#read = store.script(lua('read-tenant'));
        this.#note = store.script(lua('note-day'));
    }

    /** Null when there is no such tenant. */
    async read(tenantId: string): Promise<TenantRead | null> {
        const keys = tenantKeys(tenantId, this.#infoKey(tenantId));
        const reply = await this.#read(keys, [MOST_DAYS, tenantId === PLATFORM ? 1 : 0]);
        const [read, today, since, name, isBusy, ...periods] = reply as Reply;
        if (read === undefined) return null;
        return {
            id: tenantId,
            name,
            read,
            today,
            since,
            isBusy: isBusy === 1,
            periods: Object.fromEntries(periods.map(([period, flat]) => [period, flatHash(flat)])),
        };
    }

    /** The platform has it: it is read from that day on. */
    async noteDay({ id, today, since }: TenantRead): Promise<void> {
        await this.#note([stateKey(id)], [today, since]);
    }

    /** Some of all tenants, the platform among them, going on after those before, and from the first again. */
    async next(count: number): Promise<string[]> {
        const from = Number(await this.#redis.get(reportKeys.place));
        const found = await this.#redis.zrange(reportKeys.tenants, String(from), String(from + count - 1));
        await this.#redis.set(reportKeys.place, found.length < count ? 0 : from + count);
        return found;
    }
}

type Reply = [
    read: number | undefined,
    today: number,
    since: number,
    name: string,
    isBusy: number,
    ...periods: [period: string, flat: string[]][],
];
