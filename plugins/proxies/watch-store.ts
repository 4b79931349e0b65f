import { CHECKS, WATCHED } from './keys-store.ts';

import type { ProxyPlace } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
/** A check of a process that has died is done by another one that long after it was taken; none lasts longer. */
export const CHECK_LEASE_MS = 75_000;
export const SAMPLE_EVERY_MS = 10_000;
const SAMPLES_AT_ONCE = 100;
/** No request takes that long to have the proxy run that it has noted. */
const NOTED_MS = 120_000;

/** Proxies that this process is to look at. */
export interface Due {
    /** With the end of the lease that they were taken under. */
    checks: (ProxyPlace & { until: string })[];
    samples: ProxyPlace[];
}

/** When the proxies of all tenants are due to be looked at. */
export class WatchStore {
    readonly #redis: Datastore['redis'];
    readonly #watch: RunScript;
    readonly #take: RunScript;
    readonly #release: RunScript;
    readonly #forget: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#watch = store.script(lua('watch-proxy'));
        this.#take = store.script(lua('take-due'));
        this.#release = store.script(lua('release-check'));
        this.#forget = store.script(lua('forget-proxy'));
    }

    /** To be called before a proxy is made to run, so that none runs unseen; also to have one checked sooner. */
    async watch(place: ProxyPlace, checkInMs: number): Promise<void> {
        await this.#watch(WATCHED, [nameOf(place), checkInMs, SAMPLE_EVERY_MS]);
    }

    /** How many proxies there are to look at: those that are to run, of all tenants. */
    count(): Promise<number> {
        return this.#redis.zcard(CHECKS);
    }

    /** @param most How many to check */
    async take(most: number): Promise<Due> {
        const args = [CHECK_LEASE_MS, most, SAMPLE_EVERY_MS, SAMPLES_AT_ONCE];
        const reply = await this.#take(WATCHED.slice(0, 2), args);
        const [checks, samples, until] = reply as [string[], string[], string];
        return { checks: checks.map((name) => ({ ...placeOf(name), until })), samples: samples.map(placeOf) };
    }

    /** A check that was taken has been done, and the next one is due then. */
    async release(place: ProxyPlace, until: string, nextInMs: number): Promise<void> {
        await this.#release(WATCHED.slice(0, 1), [nameOf(place), until, nextInMs]);
    }

    /** A proxy that is not to run. One that was noted lately is kept. */
    async forget(place: ProxyPlace): Promise<void> {
        await this.#forget(WATCHED, [nameOf(place), NOTED_MS]);
    }
}

const nameOf = ({ tenantId, proxyId }: ProxyPlace): string => `${tenantId}/${proxyId}`;

function placeOf(name: string): ProxyPlace {
    const [tenantId = '', proxyId = ''] = name.split('/');
    return { tenantId, proxyId };
}
