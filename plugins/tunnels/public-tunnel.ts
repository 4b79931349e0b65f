import type { Access, Tunnel, TunnelEndpoint } from './api.ts';
import type { Share } from './item-store.ts';
import type { TargetHealth } from './link-store.ts';

/** A tunnel as a user sees it. */
export interface PublicTunnel extends Pick<
    Tunnel,
    | 'id'
    | 'userId'
    | 'name'
    | 'config'
    | 'status'
    | 'desired'
    | 'tokenChangedAt'
    | 'agent'
    | 'connectedAt'
    | 'disconnectedAt'
    | 'reason'
    | 'revision'
    | 'createdAt'
    | 'updatedAt'
> {
    access: 'owner' | Access;
}

/** How the link of a tunnel is. */
export interface LinkStatus {
    status: Tunnel['status'];
    desired: Tunnel['desired'];
    isConnected: boolean;
    agent: string | null;
    connectedAt: string | null;
    disconnectedAt: string | null;
    reason: string | null;
}

/** How what is behind a tunnel is. */
export interface TunnelHealth {
    /** `unknown`: it is not connected, or nothing was checked yet. */
    state: 'healthy' | 'degraded' | 'unhealthy' | 'unknown';
    isConnected: boolean;
    targets: (Omit<TargetHealth, 'error'> & { error: string | null })[];
}

/** Null: it was never checked. */
export interface EndpointView extends TunnelEndpoint {
    isHealthy: boolean | null;
    latencyMs: number | null;
    error: string | null;
    checkedAt: string | null;
}

/** Without what opens it. */
export type PublicShare = Omit<Share, 'tokenHash'> & { type: 'user' | 'token' };

export function publicTunnel(tunnel: Tunnel, access: PublicTunnel['access'], now: number): PublicTunnel {
    const { tokenHash: _hash, connectionId: _id, epoch: _epoch, linkUntil: _until, ...shown } = tunnel;
    const { status, reason } = linkStatus(tunnel, now);
    return { ...shown, status, reason, access };
}

/** One whose link nobody keeps any more has lost it, whatever was said of it last. */
export function linkStatus(tunnel: Tunnel, now: number): LinkStatus {
    const { desired, agent, connectedAt, disconnectedAt } = tunnel;
    const isLost = tunnel.status === 'connected' && tunnel.linkUntil !== null && Date.parse(tunnel.linkUntil) < now;
    const status = isLost ? 'disconnected' : tunnel.status;
    const reason = isLost ? 'lost' : tunnel.reason;
    return { status, desired, isConnected: status === 'connected', agent, connectedAt, disconnectedAt, reason };
}

export function endpointView(endpoint: TunnelEndpoint, health: TargetHealth[]): EndpointView {
    const found = health.find((target) => target.endpoint === endpoint.id);
    return {
        ...endpoint,
        isHealthy: found?.isHealthy ?? null,
        latencyMs: found?.latencyMs ?? null,
        error: found?.error ?? null,
        checkedAt: found?.checkedAt ?? null,
    };
}

export const publicShare = ({ tokenHash: _hash, ...share }: Share): PublicShare => ({
    ...share,
    type: share.userId === null ? 'token' : 'user',
});

export const healthOf = (isConnected: boolean, targets: TargetHealth[]): TunnelHealth => ({
    state: isConnected ? stateOf(targets) : 'unknown',
    isConnected,
    targets: targets.map((target) => ({ ...target, error: target.error ?? null })),
});

function stateOf(targets: TargetHealth[]): TunnelHealth['state'] {
    const healthy = targets.filter(({ isHealthy }) => isHealthy).length;
    if (targets.length === 0) return 'unknown';
    if (healthy === 0) return 'unhealthy';
    return healthy === targets.length ? 'healthy' : 'degraded';
}
