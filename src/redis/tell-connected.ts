import { once } from 'node:events';

import type { Cluster, Redis } from 'ioredis';

/**
 * Resolves when a client that connects is ready, or `connecting` is settled.
 *
 * @throws When it has given up, and what it fails with meanwhile
 */
export async function untilReady(client: Cluster | Redis, connecting?: Promise<void>): Promise<void> {
    const settled = new AbortController();
    const { signal } = settled;
    const ended = once(client, 'end', { signal }).then(() => {
        throw new Error('Connection is closed.');
    });
    try {
        await Promise.race([once(client, 'ready', { signal }), ended, ...(connecting ? [connecting] : [])]);
    } finally {
        settled.abort();
    }
}

/**
 * Has `connect` of a client of a cluster, and of its duplicates, settle in any case. Of the library it never does when
 * the cluster is down at first, though the client tries again and is ready later: so it is in a failover.
 */
export function tellConnected(cluster: Cluster): Cluster {
    const connect = cluster.connect.bind(cluster);
    let awaited: Promise<void> | undefined;
    cluster.connect = async () => {
        // Its own tries: whoever asked first is told.
        if (awaited && cluster.status !== 'end') return connect();
        const ready = untilReady(cluster, connect());
        awaited = ready;
        try {
            await ready;
        } finally {
            if (awaited === ready) awaited = undefined;
        }
    };
    const duplicate = cluster.duplicate.bind(cluster);
    cluster.duplicate = (...given) => tellConnected(duplicate(...given));
    return cluster;
}
