import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';
/** Below those that systems give to connections that go out: one of these could take a port before it is listened on. */
const PORTS = { from: 20_000, to: 32_000 };

/** A TCP port that nobody listens on just now. */
export async function freePort(): Promise<number> {
    const [port = NaN] = await freePorts(1);
    return port;
}

/** Several of them. */
export async function freePorts(count: number): Promise<number[]> {
    const found = new Set<number>();
    while (found.size < count) {
        const port = randomInt(PORTS.from, PORTS.to);
        if (await isFree(port)) found.add(port);
    }
    return [...found];
}

async function isFree(port: number): Promise<boolean> {
    const server = createServer();
    const listening = once(server.listen(port, HOST), 'listening').then(
        () => true,
        () => false,
    );
    const wasFree = await listening;
    if (wasFree) await once(server.close(), 'close');
    return wasFree;
}
