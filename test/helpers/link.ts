import { once } from 'node:events';

import { WebSocket, WebSocketServer } from 'ws';

import { decodeFrame, encodeFrame, type Frame } from '../../plugins/tunnels/link/frames.ts';
import { SOCKET_SETTINGS } from '../../plugins/tunnels/link/limits.ts';
import { Link, type LinkOptions } from '../../plugins/tunnels/link/link.ts';

import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { LinkRequest } from '../../plugins/tunnels/link/types.ts';

type Ends<T> = Record<'agent' | 'gateway', T>;

/** Two ends of a WebSocket over TCP, and what each goes over; `agent` is the one that connected. */
export async function socketPair(): Promise<Ends<WebSocket> & { transports: Ends<Socket>; stop: () => void }> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...SOCKET_SETTINGS });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const agent = new WebSocket(`ws://127.0.0.1:${port}`, { ...SOCKET_SETTINGS });
    const upgraded = once(agent, 'upgrade') as Promise<[IncomingMessage]>;
    const [[gateway, { socket }], [answer]] = await Promise.all([accepted, upgraded, once(agent, 'open')]);
    const stop = () => {
        agent.terminate();
        gateway.terminate();
        server.close();
    };
    return { agent, gateway, transports: { agent: answer.socket, gateway: socket }, stop };
}

export interface Pair {
    gateway: Link;
    agent: Link;
    sockets: { agent: WebSocket; gateway: WebSocket };
    stop: () => void;
}

/** Both ends with links on them; `options` are those of both. */
export async function linkPair(onRequest: (request: LinkRequest) => void, options: LinkOptions = {}): Promise<Pair> {
    const { stop, transports, ...sockets } = await socketPair();
    const gateway = new Link(sockets.gateway, 'gateway', { transport: transports.gateway, ...options });
    const agent = new Link(sockets.agent, 'agent', { transport: transports.agent, ...options, onRequest });
    return { gateway, agent, sockets, stop };
}

/** An end without a link: it says whatever it is told to. */
export interface RawEnd {
    socket: WebSocket;
    /** All that came, in its order. */
    frames: Frame[];
    send(...frames: Frame[]): void;
    /** The first frame of that type, or of that type and stream, that has come or comes. */
    next<T extends Frame['type']>(type: T, stream?: number): Promise<Extract<Frame, { type: T }>>;
    closed: Promise<{ code: number; reason: string }>;
}

function rawEnd(socket: WebSocket): RawEnd {
    const frames: Frame[] = [];
    const find = (type: Frame['type'], stream?: number) =>
        frames.find(
            (frame) => frame.type === type && (stream === undefined || ('stream' in frame && frame.stream === stream)),
        );
    socket.on('message', (message: Buffer) => frames.push(decodeFrame(message)));
    socket.on('error', () => {});
    return {
        socket,
        frames,
        send: (...all) => {
            for (const frame of all) socket.send(encodeFrame(frame));
        },
        next: async (type, stream) => {
            let found = find(type, stream);
            while (!found) {
                await once(socket, 'message');
                found = find(type, stream);
            }
            return found as never;
        },
        closed: new Promise((resolve) => {
            socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
        }),
    };
}

/** A link and, at the other end, no link. */
export async function linkToRaw(
    side: 'agent' | 'gateway',
    options: LinkOptions = {},
): Promise<{ link: Link; raw: RawEnd; socket: WebSocket; stop: () => void }> {
    const { agent, gateway, transports, stop } = await socketPair();
    const [own, other] = side === 'agent' ? [agent, gateway] : [gateway, agent];
    return {
        link: new Link(own, side, { transport: transports[side], ...options }),
        raw: rawEnd(other),
        socket: own,
        stop,
    };
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks);
}

export async function* bodyOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** A signal that nobody aborts. */
export const never = (): AbortSignal => new AbortController().signal;

/** Until that is so; the test's own time limit ends the waiting. */
export async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}
