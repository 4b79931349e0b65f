import {
    endpointView,
    healthOf,
    linkStatus,
    publicShare,
    type EndpointView,
    type LinkStatus,
    type PublicShare,
    type TunnelHealth,
} from './public-tunnel.ts';
import { auditOf, type Tunnels } from './service.ts';
import { makeToken } from './tokens.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';

import type { Tunnel } from './api.ts';
import type { CreateEndpoint, CreateShare, UpdateEndpoint } from './item-schemas.ts';
import type { ItemStore } from './item-store.ts';
import type { ActivityEntry, LinkStore } from './link-store.ts';
import type { Deed } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { EventEntry } from '../../src/redis/outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { UserService } from '../users/api.ts';

export interface ItemParts {
    tunnels: Tunnels;
    items: ItemStore;
    links: LinkStore;
    users: Pick<UserService, 'find'>;
    clock: Clock;
}

type ListQuery = Omit<PageQuery, 'order'>;

/** What belongs to a tunnel: endpoints, shares, health and activity. */
export class TunnelItems {
    readonly #parts: ItemParts;

    constructor(parts: ItemParts) {
        this.#parts = parts;
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, QUOTA_EXCEEDED */
    async addEndpoint(actor: Actor, tunnelId: string, details: CreateEndpoint): Promise<EndpointView> {
        const { tunnels, items } = this.#parts;
        const { tunnel } = await tunnels.find(actor, tunnelId, 'write');
        const endpoint = { id: newId('endpoint'), tunnelId, ...details };
        const deed = deedOf(actor, tunnel, ['add_endpoint', 'endpoint_added'], { endpointId: endpoint.id });
        const added = await items.addEndpoint(actor.tenantId, endpoint, { ownerId: tunnel.userId, ...deed });
        return endpointView(added, []);
    }

    /** @throws TUNNEL_NOT_FOUND, INVALID_CURSOR */
    async endpoints(actor: Actor, tunnelId: string, query: ListQuery): Promise<Page<EndpointView>> {
        const { tunnels, items, links } = this.#parts;
        await tunnels.find(actor, tunnelId, 'read');
        const { tenantId } = actor;
        const [{ items: found, pagination }, health] = await Promise.all([
            items.endpoints.list({ tenantId, ownerId: tunnelId }, { ...query, order: 'created' }),
            links.health({ tenantId, tunnelId }),
        ]);
        return { items: found.map((endpoint) => endpointView(endpoint, health)), pagination };
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, ENDPOINT_NOT_FOUND, REVISION_MISMATCH */
    async updateEndpoint(
        actor: Actor,
        { tunnelId, endpointId }: { tunnelId: string; endpointId: string },
        changes: UpdateEndpoint,
        revision?: number,
    ): Promise<EndpointView> {
        const { tunnels, items, links } = this.#parts;
        const { tenantId } = actor;
        const { tunnel } = await tunnels.find(actor, tunnelId, 'write');
        const happened: Happened = ['update_endpoint', 'endpoint_updated'];
        const deed = deedOf(actor, tunnel, happened, { endpointId }, { fields: Object.keys(changes) });
        const place = { tenantId, tunnelId };
        const endpoint = await items.updateEndpoint(place, endpointId, changes, { revision, ...deed });
        return endpointView(endpoint, await links.health(place));
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, ENDPOINT_NOT_FOUND, REVISION_MISMATCH */
    async deleteEndpoint(
        actor: Actor,
        { tunnelId, endpointId }: { tunnelId: string; endpointId: string },
        revision?: number,
    ): Promise<EndpointView> {
        const { tunnels, items } = this.#parts;
        const { tunnel } = await tunnels.find(actor, tunnelId, 'write');
        const deed = deedOf(actor, tunnel, ['delete_endpoint', 'endpoint_deleted'], { endpointId });
        const place = { tenantId: actor.tenantId, tunnelId };
        return endpointView(await items.removeEndpoint(place, endpointId, { revision, ...deed }), []);
    }

    /**
     * With a user, or whoever has the token that is given then only.
     *
     * @throws TUNNEL_NOT_FOUND, FORBIDDEN, USER_NOT_FOUND, ALREADY_SHARED, QUOTA_EXCEEDED
     */
    async share(actor: Actor, tunnelId: string, details: CreateShare): Promise<{ share: PublicShare; token?: string }> {
        const { tunnels, items } = this.#parts;
        const { tenantId } = actor;
        const { tunnel } = await tunnels.find(actor, tunnelId, 'owner');
        const id = newId('share');
        const { userId = null, access = 'read', maxUses = null } = details;
        if (userId === tunnel.userId) throw apiError('ALREADY_SHARED');
        if (userId !== null) await this.#mustBeThere(tenantId, userId);
        const token = userId === null ? makeToken('share', tenantId, id) : null;
        const share = { id, tunnelId, userId, access, tokenHash: token?.hash ?? null, maxUses };
        const withWhom = { ...(userId !== null && { userId }), access };
        const deed = deedOf(actor, tunnel, ['share', 'shared'], { shareId: id }, withWhom);
        const added = await items.addShare(tenantId, share, { ownerId: tunnel.userId, ...deed });
        return { share: publicShare(added), ...(token && { token: token.text }) };
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, INVALID_CURSOR */
    async shares(actor: Actor, tunnelId: string, query: ListQuery): Promise<Page<PublicShare>> {
        const { tunnels, items } = this.#parts;
        await tunnels.find(actor, tunnelId, 'owner');
        const place = { tenantId: actor.tenantId, ownerId: tunnelId };
        const page = await items.shares.list(place, { ...query, order: 'created' });
        return { ...page, items: page.items.map(publicShare) };
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, SHARE_NOT_FOUND */
    async unshare(actor: Actor, { tunnelId, shareId }: { tunnelId: string; shareId: string }): Promise<void> {
        const { tunnels, items } = this.#parts;
        const { tunnel } = await tunnels.find(actor, tunnelId, 'owner');
        const deed = deedOf(actor, tunnel, ['unshare', 'unshared'], { shareId });
        await items.removeShare({ tenantId: actor.tenantId, tunnelId }, shareId, deed);
    }

    /** @throws TUNNEL_NOT_FOUND */
    async status(actor: Actor, tunnelId: string): Promise<LinkStatus> {
        const { tunnel } = await this.#parts.tunnels.find(actor, tunnelId, 'read');
        return linkStatus(tunnel, this.#parts.clock());
    }

    /** @throws TUNNEL_NOT_FOUND */
    async health(actor: Actor, tunnelId: string): Promise<TunnelHealth> {
        const { isConnected } = await this.status(actor, tunnelId);
        const targets = await this.#parts.links.health({ tenantId: actor.tenantId, tunnelId });
        return healthOf(isConnected, targets);
    }

    /** The newest first. @throws TUNNEL_NOT_FOUND */
    async activity(actor: Actor, tunnelId: string, limit: number): Promise<ActivityEntry[]> {
        await this.#parts.tunnels.find(actor, tunnelId, 'read');
        return this.#parts.links.activity({ tenantId: actor.tenantId, tunnelId }, limit);
    }

    async #mustBeThere(tenantId: string, userId: string): Promise<void> {
        const user = await this.#parts.users.find(tenantId, userId);
        if (user?.isActive !== true) throw apiError('USER_NOT_FOUND');
    }
}

/** What was done, as the audit has it, and what has happened. */
type Happened = [
    done: 'add_endpoint' | 'update_endpoint' | 'delete_endpoint' | 'share' | 'unshare',
    happened: 'endpoint_added' | 'endpoint_updated' | 'endpoint_deleted' | 'shared' | 'unshared',
];

function deedOf(
    actor: Actor,
    { id: tunnelId, userId }: Tunnel,
    [done, happened]: Happened,
    item: { endpointId: string } | { shareId: string },
    details?: object,
): Deed {
    const { actorId, outbox } = auditOf(actor, done, tunnelId, { ...item, ...details });
    const events: EventEntry[] = [{ type: `tunnel.${happened}`, data: { tunnelId, userId, ...item } }];
    return { actorId, outbox: { ...outbox, events } };
}
