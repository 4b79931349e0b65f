import { leaseOn, placeName, type CapacityStore } from './capacity-store.ts';

import type { Logger } from '../../../src/telemetry/logger.ts';
import type { ProxyPlace } from '../api.ts';

/** As many are renewed by one command. */
const MOST_AT_ONCE = 1_000;

/** A call's part of a proxy's capacity. */
export interface Lease {
    /** The call goes to another member. */
    moveTo(tunnelId: string): void;
    /** Once or more often. */
    giveBack(): void;
}

interface Held {
    place: ProxyPlace;
    leases: Set<string>;
}

/** The leases of this process. They are renewed for as long as they are held; those of a process that died run out. */
export class Leases {
    readonly #store: CapacityStore;
    readonly #logger: Logger;
    readonly #held = new Map<string, Held>();
    readonly #timer: NodeJS.Timeout;

    constructor(store: CapacityStore, logger: Logger, renewMs: number) {
        this.#store = store;
        this.#logger = logger;
        this.#timer = setInterval(() => void this.#renew(), renewMs).unref();
    }

    /** A lease that was taken, on a call to that member. */
    hold(place: ProxyPlace, lease: string, tunnelId: string): Lease {
        const held = this.#heldOf(place);
        let name = leaseOn(tunnelId, lease);
        held.leases.add(name);
        return {
            moveTo: (other) => {
                const from = name;
                name = leaseOn(other, lease);
                if (name === from || !held.leases.delete(from)) return;
                held.leases.add(name);
                void this.#do(this.#store.move(place, from, name));
            },
            giveBack: () => {
                if (!held.leases.delete(name)) return;
                if (held.leases.size === 0) this.#held.delete(placeName(place));
                void this.#do(this.#store.leave(place, { leases: [name] }));
            },
        };
    }

    /** Gives back all that are left. */
    async stop(): Promise<void> {
        clearInterval(this.#timer);
        const all = [...this.#held.values()].map(({ place, leases }) => ({ place, names: [...leases] }));
        for (const { leases } of this.#held.values()) leases.clear();
        this.#held.clear();
        await Promise.all(all.map(({ place, names }) => this.#do(this.#store.leave(place, { leases: names }))));
    }

    #heldOf({ tenantId, proxyId }: ProxyPlace): Held {
        const name = placeName({ tenantId, proxyId });
        const held = this.#held.get(name) ?? { place: { tenantId, proxyId }, leases: new Set() };
        this.#held.set(name, held);
        return held;
    }

    async #renew(): Promise<void> {
        for (const { place, leases } of this.#held.values()) {
            const names = [...leases];
            for (let at = 0; at < names.length; at += MOST_AT_ONCE) {
                // Some may have been given back meanwhile.
                const still = names.slice(at, at + MOST_AT_ONCE).filter((name) => leases.has(name));
                if (still.length > 0) await this.#do(this.#store.renew(place, still));
            }
        }
    }

    /** What fails here mends itself, in the time that a lease lasts. */
    #do(done: Promise<void>): Promise<void> {
        return done.catch((error: unknown) => {
            this.#logger.warn({ module: 'proxies', err: error }, 'Leases on the capacity of proxies may be late');
        });
    }
}
