import type { EndpointHealth, ResetCode } from './link/types.ts';
import type { ApiError, ErrorCode } from '../../src/http/errors.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { RelayAnswer, RelayRequest } from '../../src/relay/types.ts';
import type { Passes } from '../auth/api.ts';

export { withCatalogueErrors } from './gateway/catalogue-body.ts';
export { RelayFailure, type RelayFault } from './gateway/way.ts';

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
    /** Up to when the link counts as alive; null where nobody keeps it. */
    linkUntil: string | null;
}

/** Where requests may go behind a tunnel. */
export interface TunnelEndpoint extends RecordBase {
    tunnelId: string;
    /** As the agent reaches it. */
    url: string;
    /** The lowest healthy one first. */
    priority: number;
    /** Among those of one priority. */
    weight: number;
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
    /** As far as they were not counted while it ran. */
    bytesIn: number;
    bytesOut: number;
}

/**
 * What may be done: `read` sees and uses a tunnel, `write` changes it too. Deleting, its token and its shares are the
 * owner's.
 */
export type Access = 'read' | 'write';

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

/** Who uses a tunnel: its owner, or somebody that it is shared with. */
export interface TunnelUser {
    tenantId: string;
    userId: string;
    /** The share whose token opened this call in the owner's name. */
    passId?: string;
}

/** What a call through a tunnel has to know of it. */
export interface TunnelUse {
    ownerId: string;
    config: TunnelConfig;
    /** By which it is used; null: it is the owner's own call. */
    shareId: string | null;
}

/** What is known of tunnels. */
export interface TunnelRecords {
    /** A tunnel that the user owns, or that is shared with him. @throws TUNNEL_NOT_FOUND, FORBIDDEN */
    get(user: TunnelUser, tunnelId: string, need: Access): Promise<Tunnel>;
    /** As `get` to `read`, for a call through the tunnel: one by a share is counted for it, and the share is named. */
    use(user: TunnelUser, tunnelId: string): Promise<TunnelUse>;
    /** Whose token that is; null: of no tunnel any more, or its tenant or owner is not in standing. Constant time. */
    authenticate(tunnelId: string, token: string): Promise<{ tenantId: string; tunnel: Tunnel } | null>;
    /** The tokens of shares, as passes to the traffic of their tunnels: one that is admitted counts as a use. */
    passes: Passes;
    /** Those that were named for a tunnel, by their creation. */
    endpoints(place: TunnelPlace): Promise<TunnelEndpoint[]>;
    /** A number for a new link, higher than those of all links of the tunnel before. */
    nextEpoch(place: TunnelPlace): Promise<number>;
    /**
     * A link is there. `replaced`: there has been a newer one; `token_changed`: the token that it came with, if its
     * hash is given, is not the tunnel's any more.
     */
    linkUp(
        place: TunnelPlace,
        link: { connectionId: string; epoch: number; agent: string; tokenHash?: string },
    ): Promise<'connected' | 'stopped' | 'deleted' | 'replaced' | 'token_changed'>;
    /**
     * To be asked of each open link every 10 seconds: whether it is to go on. Not any more: it is stopped, deleted or
     * replaced, the token has changed, or tenant or owner are not in standing. Once it was asked, a tunnel whose link
     * is not kept for 30 seconds is shown as disconnected.
     */
    keepLink(place: TunnelPlace, link: { connectionId: string; tokenHash: string }): Promise<boolean>;
    /** A link is gone; of one that is not the tunnel's any more it changes nothing. `isFault`: by the agent's fault. */
    linkDown(place: TunnelPlace, connectionId: string, reason: string, isFault?: boolean): Promise<void>;
    /** As the link of that tunnel tells; targets are told apart by their ids. */
    setHealth(place: TunnelPlace, health: EndpointHealth[]): Promise<void>;
    /** Counted per tunnel and day and for the quota, some at a time; never fails and is not waited for. */
    count(place: TunnelPlace, call: EndedRelay): void;
    /** Writes down what was counted so far. Never fails. */
    flush(): Promise<void>;
    /** What a call that runs has relayed since it was counted last; the same bytes are in no other count. */
    countBytes(place: TunnelPlace, bytes: Pick<EndedRelay, 'bytesIn' | 'bytesOut'>): void;
    /**
     * Why no more may be relayed for that owner of a tunnel: the quota of the month is used up, or nobody can pay.
     * Null: it may. Up to a second old.
     */
    relayRefusal(tenantId: string, userId: string): Promise<ApiError | null>;
    /** Notes links whose replica has died, and charges for relayed bytes. */
    sweep(): Promise<void>;
    /** What the keys of a tenant's relayed bytes begin with; the month, `yyyymm`, follows. */
    relayedKey(tenantId: string): string;
    /** Where a tunnel's record lives, for scripts that look at its owner and status. */
    key(place: TunnelPlace): string;
}

/** What a request through a tunnel fails with, besides one whose path is malformed. */
export const TUNNEL_ERRORS: ErrorCode[] = [
    'TUNNEL_NOT_FOUND',
    'QUOTA_EXCEEDED',
    'INSUFFICIENT_CREDITS',
    'SPEND_LIMIT_REACHED',
    'TUNNEL_OFFLINE',
    'TUNNEL_BUSY',
    'TUNNEL_TIMEOUT',
    'TUNNEL_ERROR',
];

/** The port of the tunnels feature. */
export interface TunnelService extends TunnelRecords {
    /**
     * Sends a request through a tunnel, over whichever replica holds its link; counts it, and ends it when a share is
     * taken back. Nothing is sent twice. The answer's body has to be read or returned, or `gone` aborted.
     *
     * @throws TUNNEL_NOT_FOUND, MALFORMED_REQUEST, QUOTA_EXCEEDED; TUNNEL_OFFLINE, TUNNEL_BUSY, TUNNEL_TIMEOUT and
     *   TUNNEL_ERROR have the `RelayFailure` as their cause, where there is one
     */
    relay(user: TunnelUser, tunnelId: string, request: RelayRequest): Promise<RelayAnswer>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        tunnels: TunnelService & BackedUp;
    }
}
