import type { EndpointHealth, ResetCode } from './link/types.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Actor } from '../../src/types/actor.ts';

/** `error`: the last link ended because the agent's side broke the rules of the link. */
export type TunnelStatus = 'created' | 'connecting' | 'connected' | 'disconnected' | 'error';

/** How a tunnel is used. */
export interface TunnelConfig {
    /** Calls at the same time. */
    maxConnections: number;
    /** To the first byte of an answer, in milliseconds. */
    timeout: number;
    compression: boolean;
}

/** A tunnel as it is stored. */
export interface Tunnel extends RecordBase {
    userId: string;
    name: string;
    config: TunnelConfig;
    status: TunnelStatus;
    /** What its user wants; a link is taken only of one that is `running`. */
    desired: 'running' | 'stopped';
    /** SHA-256 of the agent's token: all that is kept of it. */
    tokenHash: string;
    tokenChangedAt: string;
    /** Of the link that there is, or that there was last. */
    connectionId: string | null;
    /** Of the newest link that has been up. */
    epoch: number | null;
    /** How the agent calls itself. */
    agent: string | null;
    connectedAt: string | null;
    disconnectedAt: string | null;
    /** Why it is not connected any more. */
    reason: string | null;
}

/** Where a tunnel is. */
export interface TunnelPlace {
    tenantId: string;
    tunnelId: string;
}

/** A call that has ended. */
export interface EndedRelay {
    outcome: 'success' | ResetCode | 'offline';
    latencyMs: number;
    bytesIn: number;
    bytesOut: number;
}

/**
 * What may be done: `read` sees and uses a tunnel, `write` changes it too. Deleting, its token and its shares are the
 * owner's.
 */
export type Access = 'read' | 'write';

/** What a share's token opens: calls through one tunnel. */
export interface SharedTunnel {
    tenantId: string;
    tunnel: Tunnel;
    shareId: string;
}

/**
 * The channel of `Signals` on which replicas learn what they have to do about open links; the message is a
 * `TunnelNews`.
 */
export const TUNNEL_NEWS = 'tunnels:news';

/**
 * Something has changed that an open link, or calls on it, must follow at once. `share_revoked` names the share, and
 * the user that it was with, unless it was a token's.
 */
export interface TunnelNews extends TunnelPlace {
    kind: 'stopped' | 'deleted' | 'token_changed' | 'config_changed' | 'share_revoked';
    shareId?: string;
    userId?: string;
}

/** The port of the tunnels feature. */
export interface TunnelService {
    /** A tunnel that the actor owns, or that is shared with him. @throws TUNNEL_NOT_FOUND, FORBIDDEN */
    get(actor: Actor, tunnelId: string, need: Access): Promise<Tunnel>;
    /** As `get` to `read`, for a call through the tunnel: one by a share is counted for it, and the share is named. */
    use(actor: Actor, tunnelId: string): Promise<{ tunnel: Tunnel; shareId: string | null }>;
    /** Whose token that is; null: of no tunnel any more, or its tenant or owner is not in standing. Constant time. */
    authenticate(tunnelId: string, token: string): Promise<{ tenantId: string; tunnel: Tunnel } | null>;
    /** The tunnel that a share's token opens; it counts as a use. Null: expired, used up, taken back, of another tunnel. */
    redeem(tunnelId: string, token: string): Promise<SharedTunnel | null>;
    /** A number for a new link, higher than those of all links of the tunnel before. */
    nextEpoch(place: TunnelPlace): Promise<number>;
    /** A link is there. `replaced`: there has been a newer one. */
    linkUp(
        place: TunnelPlace,
        link: { connectionId: string; epoch: number; agent: string },
    ): Promise<'connected' | 'stopped' | 'deleted' | 'replaced'>;
    /** A link is gone; of one that is not the tunnel's any more it changes nothing. `isFault`: by the agent's fault. */
    linkDown(place: TunnelPlace, connectionId: string, reason: string, isFault?: boolean): Promise<void>;
    /** As the link of that tunnel tells; targets are told apart by their ids. */
    setHealth(place: TunnelPlace, health: EndpointHealth[]): Promise<void>;
    /** Counted per tunnel and day and for the quota, some at a time; never fails and is not waited for. */
    count(place: TunnelPlace, call: EndedRelay): void;
    /** Whether the tenant's quota of relayed bytes has room this month; up to a second old. */
    mayRelay(tenantId: string): Promise<boolean>;
    /** Where a tunnel's record lives, for scripts that look at its owner and status. */
    key(place: TunnelPlace): string;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        tunnels: TunnelService;
    }
}
