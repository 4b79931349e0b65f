import { publicTunnel, type PublicTunnel } from './public-tunnel.ts';
import { makeToken } from './tokens.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { done, doneBy, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { Access, Tunnel, TunnelConfig, TunnelUse, TunnelUser } from './api.ts';
import type { ItemStore } from './item-store.ts';
import type { CreateTunnel, UpdateTunnel } from './schemas.ts';
import type { Deed, TunnelStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Tiers } from '../tenants/api.ts';

export const DEFAULT_CONFIG: TunnelConfig = { maxConnections: 100, timeout: 30_000, compression: false };

export interface TunnelParts {
    store: TunnelStore;
    items: ItemStore;
    tiers: Tiers;
    clock: Clock;
}

/** A tunnel, and how the actor comes to it. */
export interface Found {
    tunnel: Tunnel;
    access: PublicTunnel['access'];
    shareId: string | null;
}

/** Tunnels of users, and what is shared with them. */
export class Tunnels {
    readonly #parts: TunnelParts;

    constructor(parts: TunnelParts) {
        this.#parts = parts;
    }

    /** @returns With the agent's token, which nobody can tell again. @throws NAME_TAKEN, QUOTA_EXCEEDED */
    async create(actor: Actor, { name, config }: CreateTunnel): Promise<{ tunnel: PublicTunnel; token: string }> {
        const { tenantId, userId } = actor;
        const id = newId('tun');
        const { text: token, hash: tokenHash } = makeToken('tun', tenantId, id);
        const tunnel = { id, userId, name, config: { ...DEFAULT_CONFIG, ...config }, tokenHash };
        const most = this.#parts.tiers.limitsOf(actor.tier, null).tunnels;
        const creation = await this.#parts.store.create(tenantId, tunnel, most, deedOf(actor, 'create', id, userId));
        if ('tunnel' in creation) return { tunnel: this.#shown(creation.tunnel, 'owner'), token };
        const limit = creation.most;
        throw apiError('QUOTA_EXCEEDED', { details: { quota: 'tunnels', used: limit, limit, resetsAt: null } });
    }

    /** One's own, or those that are shared with one. @throws INVALID_CURSOR */
    async list(
        actor: Actor,
        { isShared, ...query }: Omit<PageQuery, 'order'> & { isShared: boolean },
    ): Promise<Page<PublicTunnel>> {
        const { tenantId, userId } = actor;
        const order = isShared ? 'shared' : 'created';
        const { items, pagination } = await this.#parts.store.records.list(
            { tenantId, ownerId: userId },
            { ...query, order },
        );
        if (!isShared) return { items: items.map((tunnel) => this.#shown(tunnel, 'owner')), pagination };
        const found = await Promise.all(
            items.map(async (tunnel) => {
                const share = await this.#parts.store.sharedWith({ tenantId, tunnelId: tunnel.id }, userId);
                // Taken back meanwhile.
                return share === null ? [] : [this.#shown(tunnel, share.access)];
            }),
        );
        return { items: found.flat(), pagination };
    }

    /** @throws TUNNEL_NOT_FOUND */
    async show(actor: Actor, id: string): Promise<PublicTunnel> {
        const { tunnel, access } = await this.find(actor, id, 'read');
        return this.#shown(tunnel, access);
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, REVISION_MISMATCH, NAME_TAKEN */
    async update(actor: Actor, id: string, changes: UpdateTunnel, revision?: number): Promise<PublicTunnel> {
        const { tunnel, access } = await this.find(actor, id, 'write');
        const { reset, name, config = {} } = changes;
        const change = { name, config, defaults: reset === true ? DEFAULT_CONFIG : undefined, revision };
        const deed = deedOf(actor, 'update', id, tunnel.userId, { fields: Object.keys(changes) });
        return this.#shown(await this.#parts.store.update(placeOf(actor, tunnel), id, change, deed), access);
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, INVALID_STATE */
    async start(actor: Actor, id: string): Promise<PublicTunnel> {
        const { tunnel, access } = await this.find(actor, id, 'write');
        const deed = auditOf(actor, 'start', id);
        return this.#shown(await this.#parts.store.start(placeOf(actor, tunnel), id, deed), access);
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, INVALID_STATE */
    async stop(actor: Actor, id: string): Promise<PublicTunnel> {
        const { tunnel, access } = await this.find(actor, id, 'write');
        const deed = auditOf(actor, 'stop', id);
        return this.#shown(await this.#parts.store.stop(placeOf(actor, tunnel), id, deed), access);
    }

    /** The old token is refused from now on. @throws TUNNEL_NOT_FOUND, FORBIDDEN */
    async rotate(actor: Actor, id: string): Promise<{ tunnel: PublicTunnel; token: string }> {
        const { tunnel } = await this.find(actor, id, 'owner');
        const { text: token, hash } = makeToken('tun', actor.tenantId, id);
        const deed = deedOf(actor, 'update', id, tunnel.userId, { fields: ['token'] });
        const rotated = await this.#parts.store.rotate(placeOf(actor, tunnel), id, hash, deed);
        return { tunnel: this.#shown(rotated, 'owner'), token };
    }

    /** @throws TUNNEL_NOT_FOUND, FORBIDDEN, REVISION_MISMATCH */
    async delete(actor: Actor, id: string, revision?: number): Promise<PublicTunnel> {
        const { store, items } = this.#parts;
        const { tunnel } = await this.find(actor, id, 'owner');
        const { outbox } = deedOf(actor, 'delete', id, tunnel.userId);
        const prefixes = items.prefixes(actor.tenantId);
        await store.delete(placeOf(actor, tunnel), id, { prefixes, revision, outbox });
        return this.#shown(tunnel, 'owner');
    }

    /**
     * A tunnel for somebody who needs so much of it: deleting, the token and the shares are the owner's.
     *
     * @throws TUNNEL_NOT_FOUND, FORBIDDEN
     */
    async find({ tenantId, userId }: TunnelUser, id: string, need: Access | 'owner'): Promise<Found> {
        const { store } = this.#parts;
        const tunnel = await store.records.get({ tenantId }, id);
        if (tunnel.userId === userId) return { tunnel, access: 'owner', shareId: null };
        const share = await store.sharedWith({ tenantId, tunnelId: id }, userId);
        if (share === null) throw apiError('TUNNEL_NOT_FOUND');
        if (need !== 'read' && share.access !== need) throw apiError('FORBIDDEN');
        return { tunnel, access: share.access, shareId: share.shareId };
    }

    /** For a call through it, which needs no more than that. @throws TUNNEL_NOT_FOUND */
    async use({ tenantId, userId }: TunnelUser, tunnelId: string): Promise<TunnelUse> {
        const { store } = this.#parts;
        const place = { tenantId, tunnelId };
        const found = await store.forCall(place);
        const share = found === null || found.ownerId === userId ? null : await store.sharedWith(place, userId);
        if (found === null || (found.ownerId !== userId && share === null)) throw apiError('TUNNEL_NOT_FOUND');
        return { ...found, shareId: share?.shareId ?? null };
    }

    /** Removes the tunnels of a user who is purged, and what was shared with him. */
    async purge(tenantId: string, userId: string): Promise<void> {
        const { store, items } = this.#parts;
        const place = { tenantId, ownerId: userId };
        const prefixes = items.prefixes(tenantId);
        await store.records.purge(place, 'created', async (ids) => {
            for (const id of ids) {
                const outbox = { events: [eventOf('deleted', id, userId)], audit: [done('tunnel', 'delete', id)] };
                if (await store.records.find(place, id)) await store.delete(place, id, { prefixes, outbox });
            }
        });
        for (const tunnelId of await items.tunnelsOf(tenantId, userId)) {
            const share = await store.sharedWith({ tenantId, tunnelId }, userId);
            if (share === null) continue;
            await items.removeShare({ tenantId, tunnelId }, share.shareId, {
                actorId: userId,
                outbox: { audit: [done('tunnel', 'unshare', tunnelId)] },
            });
        }
    }

    #shown(tunnel: Tunnel, access: PublicTunnel['access']): PublicTunnel {
        return publicTunnel(tunnel, access, this.#parts.clock());
    }
}

const placeOf = ({ tenantId }: Actor, { userId }: Tunnel) => ({ tenantId, ownerId: userId });

const eventOf = (happened: 'created' | 'updated' | 'deleted', tunnelId: string, userId: string): EventEntry => ({
    type: `tunnel.${happened}`,
    data: { tunnelId, userId },
});

/** A change that says itself what happened, besides the audit. */
export const auditOf = (actor: Actor, action: string, id: string, details?: object): Deed => ({
    actorId: actor.userId,
    outbox: { audit: [doneBy(actor, 'tunnel', action, id, details)] },
});

const deedOf = (
    actor: Actor,
    action: 'create' | 'update' | 'delete',
    id: string,
    ownerId: string,
    details?: object,
): Deed => {
    const { actorId, outbox } = auditOf(actor, action, id, details);
    return { actorId, outbox: { ...outbox, events: [eventOf(`${action}d`, id, ownerId)] } satisfies Outbox };
};
