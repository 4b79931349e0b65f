import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A load balancer that passes connections on as they are, over a network that may fail. */
export interface Balancer {
    url: string;
    /** How many connections found nobody. */
    refused: number;
    /** New connections go there from now on; null: nowhere. */
    turn: (url: string | null) => void;
    /** Nothing goes over what is open any more, and nobody is told. */
    freeze: () => void;
    stop: () => Promise<void>;
}

export async function startBalancer(first: string): Promise<Balancer> {
    let target: string | null = first;
    const pairs = new Set<[Socket, Socket]>();
    const server = createServer((client) => {
        if (target === null) {
            balancer.refused++;
            return void client.destroy();
        }
        const { port, hostname } = new URL(target);
        const pair: [Socket, Socket] = [client, connect(Number(port), hostname)];
        pairs.add(pair);
        const end = () => {
            for (const socket of pair) socket.destroy();
            pairs.delete(pair);
        };
        for (const socket of pair) socket.on('error', end).on('close', end);
        client.pipe(pair[1]).pipe(client);
    });
    const balancer: Balancer = {
        url: '',
        refused: 0,
        turn: (url) => (target = url),
        freeze: () => {
            for (const pair of pairs) {
                for (const socket of pair) socket.removeAllListeners('close').unpipe().pause();
            }
        },
        stop: async () => {
            for (const pair of pairs) for (const socket of pair) socket.destroy();
            server.close();
            await once(server, 'close');
        },
    };
    await once(server.listen(0, '127.0.0.1'), 'listening');
    balancer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return balancer;
}
