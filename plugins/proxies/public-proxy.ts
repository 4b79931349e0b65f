import type { MemberHealth, Proxy, ProxyLoad } from './api.ts';

/** How a proxy is. */
export interface ProxyState extends Pick<Proxy, 'status' | 'desired' | 'reason' | 'replicas'> {
    /** Of the status. */
    since: string;
    /** The share of the last 24 hours, or of its life, that it was running or degraded; null: it is too new. */
    availability: number | null;
    load: ProxyLoad;
}

/** Of what nobody has looked at `isHealthy` is null. */
export type MemberView = Omit<MemberHealth, 'isHealthy'> & { tunnelId: string; isHealthy: boolean | null };

/** How the members of a proxy are. */
export interface ProxyHealth {
    status: Proxy['status'];
    members: MemberView[];
}

/** What a look at a member found, step by step. */
export interface MemberDiagnosis {
    tunnelId: string;
    /** The owner of the proxy may use the tunnel. */
    isFound: boolean;
    isConnected: boolean;
    /** Below 500, within the proxy's `healthTimeout`. */
    isAnswering: boolean;
    /** Of the answer. */
    status: number | null;
    latencyMs: number | null;
    error: string | null;
}
