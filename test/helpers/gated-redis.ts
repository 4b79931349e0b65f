import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a Redis that can be shut between a command and its answer. */
export interface GatedRedis {
    url: string;
    /** Asked before each answer is passed on, when the command has been done; from the first `true` on none is. */
    shutWhen: (isTime: () => Promise<boolean>) => void;
    /** Resolved when it is shut. */
    shut: Promise<void>;
    stop: () => void;
}

/** @param path The socket of the Redis behind it */
export async function gatedRedis(path: string): Promise<GatedRedis> {
    let isTime = () => Promise.resolve(false);
    let tell = (): void => undefined;
    const shut = new Promise<void>((resolve) => (tell = resolve));
    let isShut = false;
    const sockets = new Set<Socket>();
    const pass = async (redis: Socket, client: Socket) => {
        for await (const answer of redis) {
            isShut ||= await isTime();
            if (isShut) return tell();
            client.write(answer as Buffer);
        }
    };
    const server = createServer((client) => {
        const redis = connect(path);
        for (const socket of [client, redis]) {
            sockets.add(socket);
            socket.on('error', () => undefined);
        }
        client.pipe(redis);
        void pass(redis, client).catch(() => client.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
        url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
        shutWhen: (when) => (isTime = when),
        shut,
        stop: () => {
            for (const socket of sockets) socket.destroy();
            server.close();
        },
    };
}
