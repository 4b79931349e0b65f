import type { HeldLink } from './held-link.ts';

/** Links by their tunnels; while one replaces another a tunnel has several. */
export class OpenLinks implements Iterable<HeldLink> {
    readonly #byTunnel = new Map<string, Set<HeldLink>>();

    add(held: HeldLink): void {
        const { tunnelId } = held.place;
        const links = this.#byTunnel.get(tunnelId) ?? new Set();
        this.#byTunnel.set(tunnelId, links.add(held));
    }

    delete(held: HeldLink): void {
        const { tunnelId } = held.place;
        const links = this.#byTunnel.get(tunnelId);
        links?.delete(held);
        if (links?.size === 0) this.#byTunnel.delete(tunnelId);
    }

    of(tunnelId: string): Iterable<HeldLink> {
        return this.#byTunnel.get(tunnelId) ?? [];
    }

    *[Symbol.iterator](): Iterator<HeldLink> {
        for (const links of this.#byTunnel.values()) yield* links;
    }
}
