import { STATUS_CODES, type IncomingMessage } from 'node:http';

import { WebSocketServer } from 'ws';

import { isApiError } from '../../../src/http/errors.ts';
import { isStoreUnavailable } from '../../../src/redis/client.ts';
import { SOCKET_SETTINGS } from '../link/limits.ts';

import type { Duplex } from 'node:stream';
import type { Server } from '@hapi/hapi';
import type { Admitted, Links } from './links.ts';
import type { Platform } from '../../../src/platform.ts';
import type { TunnelRecords } from '../api.ts';

const PATH = /^\/api\/(?:v1\/)?tunnels\/(tun_[0-9A-HJKMNP-TV-Z]{26})\/connect(?:\?|$)/;
const RETRY_AFTER_S = 2;

export interface UpgradeParts extends Pick<Platform, 'drain' | 'logger'> {
    tunnels: TunnelRecords;
    links: Links;
    /** Whether the request came the way that requests must come. */
    isAllowed: (request: IncomingMessage) => boolean;
}

/** Takes the WebSockets of agents: who may not connect is told so by a status, before the upgrade. */
export function takeUpgrades(server: Server, parts: UpgradeParts): void {
    const sockets = new WebSocketServer({ noServer: true, clientTracking: false, ...SOCKET_SETTINGS });
    server.listener.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        socket.on('error', () => socket.destroy());
        decide(request, parts).then(
            (decision) => {
                if (typeof decision === 'number') return refuse(socket, decision);
                sockets.handleUpgrade(request, socket, head, (opened) => {
                    keepOpen(server, socket);
                    parts.links.take(opened, decision, socket);
                });
            },
            (error: unknown) => {
                if (isApiError(error, 'TENANT_RESTORING')) return refuse(socket, 503);
                parts.logger.warn({ module: 'tunnels', err: error }, 'An agent could not be admitted');
                refuse(socket, isStoreUnavailable(error) ? 503 : 500);
            },
        );
    });
}

/** Who it is, or the status that refuses him. */
async function decide(
    request: IncomingMessage,
    { tunnels, drain, isAllowed }: UpgradeParts,
): Promise<Admitted | number> {
    const [, tunnelId] = PATH.exec(request.url ?? '') ?? [];
    if (tunnelId === undefined) return 404;
    if (request.method !== 'GET') return 405;
    if (!isAllowed(request)) return 403;
    // The load balancer sends it to another replica, or it comes again.
    if (drain.isLeaving) return 503;
    return admit(tunnels, tunnelId, tokenOf(request));
}

async function admit(tunnels: TunnelRecords, tunnelId: string, token: string): Promise<Admitted | number> {
    const known = await tunnels.authenticate(tunnelId, token);
    if (known === null) return 401;
    return known.tunnel.desired === 'stopped' ? 409 : { ...known, token };
}

/** Empty when there is none: that is nobody's. */
const tokenOf = ({ headers }: IncomingMessage): string =>
    /^Bearer (\S{1,200})$/i.exec(headers.authorization ?? '')?.[1] ?? '';

function refuse(socket: Duplex, status: number): void {
    if (!socket.writable) return void socket.destroy();
    const headers = [
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
        'Connection: close',
        'Content-Length: 0',
        ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
        ...(status === 503 ? [`Retry-After: ${RETRY_AFTER_S}`] : []),
    ];
    socket.end(`${headers.join('\r\n')}\r\n\r\n`, () => socket.destroy());
}

/** Hapi ends every connection without a request as soon as it stops; a link has its own way to end. */
function keepOpen(server: Server, socket: Duplex): void {
    const core: unknown = Reflect.get(server, '_core');
    const connections: unknown = typeof core === 'object' && core !== null ? Reflect.get(core, 'sockets') : null;
    if (connections instanceof Set) connections.delete(socket);
}
