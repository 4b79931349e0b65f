import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { RelayAnswer, RelayRequest } from '../../src/relay/types.ts';

/**
 * `running`: every member is healthy; `degraded`: some are; `error`: none is. A `stopped` one takes no requests, but
 * for one that was stopped because it was idle: the next request starts it.
 */
export type ProxyStatus = 'created' | 'running' | 'degraded' | 'error' | 'stopped';

/** How the next member is chosen, among those that are healthy. */
export type ProxyStrategy = 'priority' | 'round_robin' | 'least_connections';

/** A tunnel behind a proxy. */
export interface ProxyMember {
    tunnelId: string;
    /** The lowest first, with the strategy `priority`. */
    priority: number;
    /** The share of the requests among equals. */
    weight: number;
}

export interface ProxyConfig {
    /** Calls at the same time, of each replica; 1–10,000. */
    maxConnections: number;
    /** To the first byte of an answer, in milliseconds; 1,000–300,000. */
    timeout: number;
    /** How often a request that failed is tried again; 0–10. */
    retries: number;
    /** Before the first of them, in milliseconds, doubling; 100–60,000. */
    backoff: number;
    /** Between two health checks, in milliseconds; 1,000–300,000. */
    healthInterval: number;
    /** 1,000–60,000. */
    healthTimeout: number;
    /** Asked of each member's service by GET; one that answers below 500 is healthy. */
    healthPath: string;
    /** Whether the number of replicas follows the load. */
    autoScale: boolean;
}

/** A proxy as it is stored. */
export interface Proxy extends RecordBase {
    userId: string;
    name: string;
    members: ProxyMember[];
    strategy: ProxyStrategy;
    config: ProxyConfig;
    /** Each has room for `maxConnections` calls. */
    replicas: number;
    status: ProxyStatus;
    desired: 'running' | 'stopped';
    /** Why it is stopped or in error. */
    reason: string | null;
    statusChangedAt: string;
    /** To the minute. */
    lastUsedAt: string | null;
}

/** Where a proxy is. */
export interface ProxyPlace {
    tenantId: string;
    proxyId: string;
}

export interface ProxyUser {
    tenantId: string;
    userId: string;
}

/** How a member is, as checks and traffic saw it on any replica. */
export interface MemberHealth {
    isHealthy: boolean;
    /** In a row. */
    failures: number;
    successes: number;
    checkedAt: string | null;
    latencyMs: number | null;
    error: string | null;
}

/** What is known of proxies. */
export interface ProxyRecords {
    /** @throws PROXY_NOT_FOUND */
    get(user: ProxyUser, proxyId: string): Promise<Proxy>;
    /**
     * For a request, in one round trip: the proxy, and the health of those members that were looked at; one that was
     * stopped because it was idle is started.
     *
     * @throws PROXY_NOT_FOUND, PROXY_STOPPED
     */
    use(user: ProxyUser, proxyId: string): Promise<{ proxy: Proxy; health: Map<string, MemberHealth> }>;
    /** What a request or a check saw of a member: unhealthy after 3 failures in a row, healthy after 2 successes. */
    note(
        place: ProxyPlace,
        tunnelId: string,
        seen: { isSuccess: boolean; latencyMs: number | null; error?: string },
    ): Promise<void>;
    /** Where a proxy's record lives, for scripts. */
    key(place: ProxyPlace): string;
}

/** How busy a proxy is, on all replicas. */
export interface ProxyLoad {
    active: number;
    waiting: number;
}

/** The port of the proxies feature. */
export interface ProxyService extends ProxyRecords {
    /**
     * Sends a request to one of the members, and to another where that is harmless. The answer's body has to be read or
     * returned, or `gone` aborted.
     *
     * @throws PROXY_NOT_FOUND, PROXY_STOPPED, PROXY_BUSY, PROXY_OFFLINE, SHUTTING_DOWN, and what `TunnelService.relay`
     *   throws of the last member that was tried
     */
    relay(user: ProxyUser, proxyId: string, request: RelayRequest): Promise<RelayAnswer>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        proxies: ProxyService & BackedUp;
    }
}
