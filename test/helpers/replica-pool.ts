import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

/**
 * Replicas behind one address, as a Service of Kubernetes has them: each new connection goes to the next one, and stays
 * with it; one whose readiness probe fails gets no new ones.
 */
export interface ReplicaPool {
    url: string;
    /** Connections that nobody took. */
    refused: number;
    add: (url: string) => void;
    remove: (url: string) => void;
    /** Whether new connections go there. */
    has: (url: string) => boolean;
    stop: () => Promise<void>;
}

export async function startReplicaPool(): Promise<ReplicaPool> {
    const members: string[] = [];
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (client) => {
        const url = members.shift();
        if (url === undefined) {
            pool.refused++;
            return void client.destroy();
        }
        members.push(url);
        const { hostname, port } = new URL(url);
        const replica = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
        replica.once('error', () => replica.connecting && pool.refused++);
        join(client, replica, open);
    });
    const pool: ReplicaPool = {
        url: '',
        refused: 0,
        add: (url) => void members.push(url),
        remove: (url) => {
            const place = members.indexOf(url);
            if (place >= 0) members.splice(place, 1);
        },
        has: (url) => members.includes(url),
        stop: async () => {
            stopping.abort();
            for (const socket of open) socket.destroy();
            await once(server.close(), 'close');
        },
    };
    const stopping = new AbortController();
    void watch(members, pool, stopping.signal);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    pool.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return pool;
}

/** Passes on all that comes, and the end of each side when everything before it is out. */
function join(client: Socket, replica: Socket, open: Set<Socket>): void {
    const pair = [client, replica] as const;
    for (const socket of pair) {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        // What is reset on one side is reset on the other.
        socket.once('error', () => {
            for (const one of pair) one.destroy();
        });
    }
    client.pipe(replica).pipe(client);
}

/** Takes out who is not ready; whoever starts a replica adds it. */
async function watch(members: readonly string[], pool: ReplicaPool, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
        await Promise.all(
            members.map(async (url) => {
                const isReady = await fetch(`${url}/health/ready`).then(
                    ({ status }) => status === 200,
                    () => false,
                );
                if (!isReady) pool.remove(url);
            }),
        );
        await sleep(LOOK_EVERY_MS);
    }
}
