import { connect, type Socket } from 'node:net';

import { createWebSocketStream, WebSocketServer } from 'ws';

import { serveSpdy, type SpdyStream } from './spdy.ts';

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const FORWARD = 'portforward.k8s.io';
const TUNNEL = `SPDY/3.1+${FORWARD}`;

/** Where a port of a pod is really: on which port of this machine. */
export type LocalPort = (port: number) => number | undefined;

/** The name of the protocol is none by RFC 6455, so that the library refuses it: it is answered without it. */
const webSockets = new WebSocketServer({ noServer: true });
webSockets.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${TUNNEL}`));

/** Takes an upgrade to `pods/<name>/portforward`: SPDY, or as from kubectl 1.31 on, SPDY within a WebSocket. */
export function forwardPorts(request: IncomingMessage, socket: Duplex, head: Buffer, localPort: LocalPort): void {
    const { upgrade = '', 'sec-websocket-protocol': protocols = '' } = request.headers;
    if (upgrade.toLowerCase() === 'websocket' && protocols.includes(TUNNEL)) {
        delete request.headers['sec-websocket-protocol'];
        webSockets.handleUpgrade(request, socket, head, (webSocket) => {
            const stream = createWebSocketStream(webSocket);
            stream.on('error', () => webSocket.terminate());
            void serveSpdy(stream, joinStreams(localPort));
        });
        return;
    }
    if (upgrade !== 'SPDY/3.1') return void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    socket.on('error', () => socket.destroy());
    socket.write(
        [
            'HTTP/1.1 101 Switching Protocols',
            'Connection: Upgrade',
            'Upgrade: SPDY/3.1',
            `X-Stream-Protocol-Version: ${FORWARD}`,
            '\r\n',
        ].join('\r\n'),
    );
    if (head.length > 0) socket.unshift(head);
    void serveSpdy(socket, joinStreams(localPort));
}

/** For each connection the client opens two streams, the one for errors first. */
function joinStreams(localPort: LocalPort): (stream: SpdyStream) => void {
    const errors = new Map<string, SpdyStream>();
    return (stream) => {
        const { streamtype, port = '', requestid = '' } = stream.headers;
        if (streamtype === 'error') {
            errors.set(requestid, stream);
            return;
        }
        const local = localPort(Number(port));
        const error = errors.get(requestid);
        if (local === undefined) {
            error?.write(Buffer.from(`nothing listens on port ${port} of the pod`));
            error?.end();
            stream.end();
            return;
        }
        join(stream, connect(local, '127.0.0.1'), error);
    };
}

function join(stream: SpdyStream, socket: Socket, error: SpdyStream | undefined): void {
    socket.on('data', (data) => stream.write(data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
        stream.end();
        error?.end();
    });
    stream.onData = (data) => void socket.write(data);
    stream.onEnd = () => void socket.end();
}
