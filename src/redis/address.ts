import type { HostPort, RedisSettings } from './settings.ts';

/** Who we are to Redis, and whether it is spoken to by TLS. */
export interface RedisAccess {
    username?: string;
    password?: string;
    tls?: object;
}

/** Where Redis is: a URL, the path of a unix socket, sentinels that know the master, or some nodes of a cluster. */
export type RedisAddress = RedisAccess &
    (
        | { url: string }
        | { path: string }
        | { sentinels: HostPort[]; name: string; sentinelPassword?: string }
        | { cluster: HostPort[] }
    );

/** Where the configured Redis is; null for one of our own. */
export function configuredAddress(settings: RedisSettings): RedisAddress | null {
    const { REDIS_URL, REDIS_CLUSTER, REDIS_SENTINELS, REDIS_USERNAME, REDIS_PASSWORD, REDIS_TLS } = settings;
    const access: RedisAccess = {
        ...(REDIS_USERNAME !== undefined && { username: REDIS_USERNAME }),
        ...(REDIS_PASSWORD !== undefined && { password: REDIS_PASSWORD }),
        ...(REDIS_TLS && { tls: {} }),
    };
    if (REDIS_URL !== undefined) return { ...access, url: REDIS_URL };
    if (REDIS_CLUSTER) return { ...access, cluster: REDIS_CLUSTER };
    if (!REDIS_SENTINELS) return null;
    const { REDIS_SENTINEL_NAME, REDIS_SENTINEL_PASSWORD } = settings;
    return {
        ...access,
        sentinels: REDIS_SENTINELS,
        name: REDIS_SENTINEL_NAME,
        ...(REDIS_SENTINEL_PASSWORD !== undefined && { sentinelPassword: REDIS_SENTINEL_PASSWORD }),
    };
}
