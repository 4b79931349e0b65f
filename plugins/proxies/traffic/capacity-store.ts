import { tenantKey } from '../../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../../src/redis/datastore.ts';
import type { ProxyLoad, ProxyPlace } from '../api.ts';

/** The channel of `Signals` on which replicas learn that there may be room for the first in line: `<proxy>/<lease>`. */
export const ROOM = 'proxies:room';
/** Whose turn it is among equals is forgotten after that long without a request. */
const TURNS_MS = 3_600_000;

/** A member as the choice needs it; the lowest rank goes first. */
export interface Candidate {
    id: string;
    weight: number;
    rank: number;
}

/** What is asked for when a request enters a proxy. */
export interface Entering {
    lease: string;
    /** Of calls at the same time. */
    capacity: number;
    /** Of the line, before it takes nobody more. */
    longest: number;
    /** Only those in line already may enter. */
    isClosed: boolean;
    /** Members with fewer running calls go first. */
    isByLoad: boolean;
    members: Candidate[];
    /** Others of this process whose places in line are to be kept. */
    keep: string[];
}

/** The members in the order that they are to be tried in: the lease is on the first. */
export type Entry = string[] | 'waiting' | 'refused';

/** What of a proxy's capacity is given back: leases as `leaseOn` names them, and places in line. */
export interface Given {
    leases?: string[];
    places?: string[];
}

/** How a lease is named that stands for a call to a member. */
export const leaseOn = (tunnelId: string, lease: string): string => `${tunnelId}/${lease}`;

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const placeName = ({ tenantId, proxyId }: ProxyPlace): string => `${tenantId}/${proxyId}`;
const keysOf = ({ tenantId, proxyId }: ProxyPlace): string[] =>
    ['leases', 'running', 'line', 'line:until', 'turns'].map((part) => tenantKey(tenantId, 'proxy', proxyId, part));

/** How many calls run through each proxy, and who waits for it, over all replicas; see the README for the keys. */
export class CapacityStore {
    readonly #leaseMs: number;
    readonly #placeMs: number;
    readonly #enter: RunScript;
    readonly #leave: RunScript;
    readonly #renew: RunScript;
    readonly #move: RunScript;
    readonly #load: RunScript;

    /** @param lifetimes Of a lease and of a place in line that nobody renews, in milliseconds */
    constructor(store: Datastore, { leaseMs, placeMs }: { leaseMs: number; placeMs: number }) {
        this.#leaseMs = leaseMs;
        this.#placeMs = placeMs;
        this.#enter = store.script(lua('enter-proxy'));
        this.#leave = store.script(lua('leave-proxy'));
        this.#renew = store.script(lua('renew-leases'));
        this.#move = store.script(lua('move-lease'));
        this.#load = store.script(lua('read-load'));
    }

    async enter(place: ProxyPlace, entering: Entering): Promise<Entry> {
        const lifetimes = { leaseMs: this.#leaseMs, placeMs: this.#placeMs, turnsMs: TURNS_MS };
        const args = [JSON.stringify({ ...entering, ...lifetimes }), ROOM, placeName(place)];
        const [code, ...order] = (await this.#enter(keysOf(place), args)) as [number, ...string[]];
        return code === 1 ? order : code === 0 ? 'waiting' : 'refused';
    }

    async leave(place: ProxyPlace, { leases = [], places = [] }: Given): Promise<void> {
        await this.#leave(keysOf(place), [JSON.stringify({ leases, places }), ROOM, placeName(place)]);
    }

    async renew(place: ProxyPlace, leases: string[]): Promise<void> {
        await this.#renew(keysOf(place), [this.#leaseMs, JSON.stringify(leases)]);
    }

    async move(place: ProxyPlace, from: string, to: string): Promise<void> {
        await this.#move(keysOf(place), [from, to, this.#leaseMs]);
    }

    async load(place: ProxyPlace): Promise<ProxyLoad> {
        const [active, waiting] = (await this.#load(keysOf(place), [])) as [number, number];
        return { active, waiting };
    }
}

/** Whom a message on `ROOM` is for. */
export function readRoom(message: string): { proxy: string; lease: string } {
    const end = message.lastIndexOf('/');
    return { proxy: message.slice(0, end), lease: message.slice(end + 1) };
}

export { placeName };
