import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { AddressInfo } from 'node:net';
import type { Server } from '@hapi/hapi';

/** What is served there, and nothing else. */
const PATHS = new Set(['/metrics', '/health/live', '/health/ready']);

export interface MonitoringListener {
    port: number;
    close: () => void;
}

/** Serves the metrics and the probes on a port of their own, also of a server that only does jobs and does not listen. */
export async function listenForMonitoring(server: Server, host: string, port: number): Promise<MonitoringListener> {
    const listener = createServer((request, response) => {
        answer(server, request, response).catch(() => response.destroy());
    });
    listener.listen(port, host);
    await once(listener, 'listening');
    return {
        port: (listener.address() as AddressInfo).port,
        close: () => {
            listener.close();
            listener.closeAllConnections();
        },
    };
}

/** As the server would answer it itself: with the same checks, errors and log lines. */
async function answer(server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers, socket } = request;
    if (method !== 'GET' || !PATHS.has(url)) {
        response.writeHead(404).end();
        return;
    }
    const {
        statusCode,
        headers: answered,
        rawPayload,
    } = await server.inject({
        method,
        url,
        headers,
        remoteAddress: socket.remoteAddress ?? '',
    });
    for (const name of ['transfer-encoding', 'connection', 'keep-alive']) delete answered[name];
    response.writeHead(statusCode, answered).end(rawPayload);
}
