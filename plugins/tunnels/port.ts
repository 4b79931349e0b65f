import { relayedKey } from './keys-store.ts';
import { sharePasses } from './share-passes.ts';
import { isSameHash, openToken } from './tokens.ts';

import type { EndedRelay, Access, Tunnel, TunnelEndpoint, TunnelPlace, TunnelRecords } from './api.ts';
import type { CallCounter } from './call-counter.ts';
import type { ItemStore } from './item-store.ts';
import type { LinkStore } from './link-store.ts';
import type { EndpointHealth } from './link/types.ts';
import type { RelayPermits } from './relay-permits.ts';
import type { Tunnels } from './service.ts';
import type { TunnelStore } from './store.ts';
import type { Sweeper } from './sweeper.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';

export interface PortParts {
    tunnels: Tunnels;
    store: TunnelStore;
    items: ItemStore;
    links: LinkStore;
    counter: CallCounter;
    permits: RelayPermits;
    sweeper: Sweeper;
    tenants: Pick<DueTenants, 'note'>;
}

type Link = Parameters<TunnelRecords['linkUp']>[1];
type LinkVerdict = Awaited<ReturnType<TunnelRecords['linkUp']>>;

const LINK_VERDICTS: Record<number, LinkVerdict> = {
    1: 'connected',
    [-1]: 'stopped',
    [-2]: 'replaced',
    [-3]: 'token_changed',
};

/** What the links of tunnels, and other features, are given: hapi exposes own properties only. */
export function createTunnelPort({ tunnels, store, items, links, counter, ...parts }: PortParts): TunnelRecords {
    return {
        get: async (user, tunnelId: string, need: Access): Promise<Tunnel> =>
            user.passId === undefined
                ? (await tunnels.find(user, tunnelId, need)).tunnel
                : links.ofShare({ tenantId: user.tenantId, tunnelId }, user.passId),

        async use(user, tunnelId) {
            const { tenantId, passId } = user;
            // It was counted when it was admitted.
            if (passId !== undefined) {
                const { userId: ownerId, config } = await links.ofShare({ tenantId, tunnelId }, passId);
                return { ownerId, config, shareId: passId };
            }
            const use = await tunnels.use(user, tunnelId);
            if (use.shareId !== null) counter.use({ tenantId, tunnelId }, use.shareId, false);
            return use;
        },

        async authenticate(tunnelId: string, token: string) {
            const opened = openToken('tun', token);
            if (opened?.id !== tunnelId) return null;
            const { tenantId, hash } = opened;
            const tunnel = await links.inStanding({ tenantId, tunnelId });
            return tunnel !== null && isSameHash(tunnel.tokenHash, hash) ? { tenantId, tunnel } : null;
        },

        passes: sharePasses(links, counter),
        endpoints: (place: TunnelPlace): Promise<TunnelEndpoint[]> => items.allEndpoints(place),
        nextEpoch: (place: TunnelPlace): Promise<number> => links.nextEpoch(place),
        async linkUp(place: TunnelPlace, link: Link): Promise<LinkVerdict> {
            await parts.tenants.note(place.tenantId);
            return LINK_VERDICTS[await links.linkUp(place, link)] ?? 'deleted';
        },
        linkDown: (place: TunnelPlace, connectionId: string, reason: string, isFault = false): Promise<void> =>
            links.linkDown(place, connectionId, reason, isFault),
        keepLink: (place, link) => links.keepLink(place, link),
        setHealth: (place: TunnelPlace, health: EndpointHealth[]): Promise<void> => links.setHealth(place, health),
        count: (place: TunnelPlace, call: EndedRelay): void => counter.count(place, call),
        flush: (): Promise<void> => counter.flush(),
        countBytes: (place, bytes) => counter.countBytes(place, bytes),
        relayRefusal: (tenantId, userId) => parts.permits.refusal(tenantId, userId),
        sweep: () => parts.sweeper.round(),
        relayedKey,
        key: ({ tenantId, tunnelId }: TunnelPlace): string => store.records.key(tenantId, tunnelId),
    };
}
