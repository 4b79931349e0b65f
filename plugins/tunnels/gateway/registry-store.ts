import { tenantKey } from '../../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../../src/redis/datastore.ts';
import type { TunnelPlace } from '../api.ts';

/** A link, and where it is. */
export interface LinkOwner {
    connectionId: string;
    /** `host:port` of the replica's internal listener; empty when it has none. */
    address: string;
    /** Of two links of a tunnel the one with the higher number is newer. */
    epoch: number;
    /** Its agent is about to connect elsewhere. */
    isDraining?: boolean;
}

/** What replicas tell each other when a tunnel has a new link. */
export interface NewLink extends TunnelPlace {
    epoch: number;
}

/** The channel of `Signals` for `NewLink`. */
export const NEW_LINKS = 'tunnels:links';

/** For how long after a link has begun to drain requests wait for the next one. */
const DRAIN_MS = 2_000;
const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const linkKey = ({ tenantId, tunnelId }: TunnelPlace): string => tenantKey(tenantId, 'tunnel', tunnelId, 'link');

/**
 * Which replica holds the link of which tunnel, for as long as it says so: `tenant:{id}:tunnel:<id>:link`
 * {connectionId, address, epoch, draining?}, which expires with its replica.
 */
export class RegistryStore {
    readonly #store: Datastore;
    readonly #lifetimeMs: number;
    readonly #take: RunScript;
    readonly #drain: RunScript;
    readonly #leave: RunScript;

    constructor(store: Datastore, lifetimeMs: number) {
        this.#store = store;
        this.#lifetimeMs = lifetimeMs;
        this.#take = store.script(lua('take-link'));
        this.#drain = store.script(lua('drain-link'));
        this.#leave = store.script(lua('leave-link'));
    }

    /** For the first time, and again before it expires. @returns Whether there is no newer link */
    async take(place: TunnelPlace, { connectionId, address, epoch }: LinkOwner): Promise<boolean> {
        const news: NewLink = { ...place, epoch };
        const args = [connectionId, address, epoch, this.#lifetimeMs, NEW_LINKS, JSON.stringify(news)];
        return (await this.#take([linkKey(place)], args)) === 1;
    }

    /** Its agent is about to connect elsewhere. */
    async drain(place: TunnelPlace, connectionId: string): Promise<void> {
        await this.#drain([linkKey(place)], [connectionId, DRAIN_MS]);
    }

    async leave(place: TunnelPlace, connectionId: string): Promise<void> {
        await this.#leave([linkKey(place)], [connectionId]);
    }

    async find(place: TunnelPlace): Promise<LinkOwner | null> {
        const { connectionId, address, epoch, draining } = await this.#store.redis.hgetall(linkKey(place));
        if (connectionId === undefined || address === undefined) return null;
        return { connectionId, address, epoch: Number(epoch), isDraining: draining !== undefined };
    }
}
