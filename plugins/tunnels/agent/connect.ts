import { WebSocket } from 'ws';

import { SOCKET_SETTINGS } from '../link/limits.ts';

import type { AgentOptions } from './options.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The API does not take the connection; without a status it could not be reached. */
export class ConnectionRefused extends Error {
    readonly status: number | null;

    constructor(message: string, status: number | null = null) {
        super(message);
        this.status = status;
    }
}

/** Opens the WebSocket that everything goes over. @throws ConnectionRefused */
export function connect({ url, token, tunnelId }: AgentOptions, signal: AbortSignal): Promise<WebSocket> {
    const socket = new WebSocket(connectUrl(url, tunnelId), {
        headers: { authorization: `Bearer ${token}` },
        ...SOCKET_SETTINGS,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        followRedirects: false,
    });
    return new Promise((resolve, reject) => {
        const end = () => socket.terminate();
        signal.addEventListener('abort', end, { once: true });
        socket.once('open', () => {
            signal.removeEventListener('abort', end);
            resolve(socket);
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
