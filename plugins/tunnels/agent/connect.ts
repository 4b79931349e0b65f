import { WebSocket } from 'ws';

import { SOCKET_SETTINGS } from '../link/limits.ts';

import type { AgentOptions } from './options.ts';
import type { Transport } from '../link/types.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The API does not take the connection; without a status it could not be reached. */
export class ConnectionRefused extends Error {
    readonly status: number | null;

    constructor(message: string, status: number | null = null) {
        super(message);
        this.status = status;
    }
}

/** The WebSocket that everything goes over, and what it goes over itself. */
export interface Connection {
    socket: WebSocket;
    transport: Transport | undefined;
}

/** @throws ConnectionRefused */
export function connect({ url, token, tunnelId }: AgentOptions, signal: AbortSignal): Promise<Connection> {
    const socket = new WebSocket(connectUrl(url, tunnelId), {
        headers: { authorization: `Bearer ${token}` },
        ...SOCKET_SETTINGS,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        followRedirects: false,
    });
    return new Promise((resolve, reject) => {
        const end = () => socket.terminate();
        let transport: Transport | undefined;
        signal.addEventListener('abort', end, { once: true });
        socket.once('upgrade', (response) => (transport = response.socket));
        socket.once('open', () => {
            signal.removeEventListener('abort', end);
            resolve({ socket, transport });
        });
        socket.once('unexpected-response', (request, response) => {
            const status = response.statusCode ?? 0;
            request.destroy();
            reject(new ConnectionRefused(`The API answered ${status}`, status));
        });
        // For the whole life of the socket: what is wrong with an open one is told by its close.
        socket.on('error', (error) => {
            signal.removeEventListener('abort', end);
            reject(new ConnectionRefused(error.message));
        });
    });
}

function connectUrl(url: URL, tunnelId: string): URL {
    const address = new URL(url);
    address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    address.pathname = `${url.pathname.replace(/\/+$/, '')}/api/tunnels/${tunnelId}/connect`;
    return address;
}
