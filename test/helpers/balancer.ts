import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import type { TestApp } from './app.ts';

/** One address in front of replicas, as a load balancer is. */
export interface Balancer {
    url: string;
    /** How many connections found nobody. */
    refused: number;
    /** New connections go there from now on; null: nowhere. */
    turn: (app: TestApp | null) => void;
    stop: () => Promise<void>;
}

export async function startBalancer(first: TestApp): Promise<Balancer> {
    let target: TestApp | null = first;
    const open = new Set<Socket>();
    const keep = (socket: Socket) => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        return socket.on('error', () => socket.destroy());
    };
    const server = createServer((socket) => {
        keep(socket);
        if (target === null) {
            balancer.refused++;
            return void socket.destroy();
        }
        const replica = keep(connect(Number(new URL(target.server.info.uri).port), '127.0.0.1'));
        socket.pipe(replica).pipe(socket);
        socket.once('close', () => replica.destroy());
        replica.once('close', () => socket.destroy());
    });
    const balancer: Balancer = {
        url: '',
        refused: 0,
        turn: (app) => (target = app),
        stop: async () => {
            for (const socket of open) socket.destroy();
            server.close();
            await once(server, 'close');
        },
    };
    await once(server.listen(0, '127.0.0.1'), 'listening');
    balancer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return balancer;
}
