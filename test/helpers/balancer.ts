import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

import type { AddressInfo } from 'node:net';

/** A load balancer that passes connections on as they are, and a network that may fail. */
export interface Balancer {
    url: string;
    /** Where new connections go from now on. */
    use: (url: string) => void;
    /** Nothing goes over what is open any more, and nobody is told. */
    freeze: () => void;
    stop: () => Promise<void>;
}

export async function startBalancer(url: string): Promise<Balancer> {
    const pairs = new Set<[Socket, Socket]>();
    let target = new URL(url);
    const server = createServer((client) => {
        const upstream = connect(Number(target.port), target.hostname);
        const pair: [Socket, Socket] = [client, upstream];
        pairs.add(pair);
        client.pipe(upstream).pipe(client);
        const end = () => {
            for (const socket of pair) socket.destroy();
            pairs.delete(pair);
        };
        for (const socket of pair) socket.on('error', end).on('close', end);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${port}`,
        use: (next) => (target = new URL(next)),
        freeze: () => {
            for (const [client, upstream] of pairs) {
                for (const socket of [client, upstream]) socket.removeAllListeners('close').unpipe();
                client.pause();
                upstream.pause();
            }
        },
        stop: async () => {
            for (const pair of pairs) for (const socket of pair) socket.destroy();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
