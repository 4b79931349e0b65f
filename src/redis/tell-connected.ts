import { once } from 'node:events';

import type { Cluster, Redis } from 'ioredis';

/** Settled when a client that connects is ready, has given up or has failed; or it is not waited for any more. */
export const readyOrEnd = (client: Cluster | Redis, signal: AbortSignal): Promise<unknown> =>
    Promise.race(['ready', 'end'].map((status) => once(client, status, { signal })));

/**
 * Has `connect` of a client of a cluster, and of its duplicates, settle in any case. Of the library it never does when
 * the cluster is down at first, though the client tries again and is ready later: so it is in a failover.
 */
export function tellConnected(cluster: Cluster): Cluster {
    const connect = cluster.connect.bind(cluster);
    let isAwaited = false;
    cluster.connect = async () => {
        // Its own tries: whoever asked first is told.
        if (isAwaited && cluster.status !== 'end') return connect();
        isAwaited = true;
        const settled = new AbortController();
        try {
            await Promise.race([connect(), readyOrEnd(cluster, settled.signal)]);
        } finally {
            settled.abort();
            isAwaited = false;
        }
        if (cluster.status === 'end') throw new Error('Connection is closed.');
    };
    const duplicate = cluster.duplicate.bind(cluster);
    cluster.duplicate = (...given) => tellConnected(duplicate(...given));
    return cluster;
}
