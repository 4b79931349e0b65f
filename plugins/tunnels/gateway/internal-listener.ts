import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import { pipeline } from 'node:stream/promises';

import { diagnoseLink } from './diagnose-link.ts';
import { FAULT } from './remote-link.ts';
import { isSigned, SIGNATURE } from './signature.ts';
import { RelayFailure, type RelayFault } from './way.ts';
import { headerOf, withHeader } from '../../../src/relay/headers.ts';
import { readRequest } from '../../../src/relay/wire-request.ts';

import type { AddressInfo } from 'node:net';
import type { HeldLink } from './held-link.ts';
import type { Links } from './links.ts';
import type { Config } from '../../../src/config.ts';
import type { Platform } from '../../../src/platform.ts';
import type { RelayRequest } from '../../../src/relay/types.ts';
import type { Tracing } from '../../../src/telemetry/tracing.ts';
import type { TunnelRecords } from '../api.ts';

const PATH = /^\/tunnels\/([A-Za-z0-9_-]+)\/(tun_[0-9A-HJKMNP-TV-Z]{26})\/(link_[0-9A-HJKMNP-TV-Z]{26})(\/.*)$/;
const DIAGNOSIS = /^\/diagnosis\/([A-Za-z0-9_-]+)\/(tun_[0-9A-HJKMNP-TV-Z]{26})\/(link_[0-9A-HJKMNP-TV-Z]{26})$/;
/** What a replica is told besides the fault; only that it is not an answer of the target matters. */
const STATUS: Partial<Record<RelayFault, number>> = { moved: 421, busy: 503, timeout: 504 };

interface Settings {
    host: string;
    port: number;
    key: string;
}

interface ListenerParts extends Pick<Platform, 'logger'> {
    links: Links;
    tunnels: TunnelRecords;
    tracing: Tracing;
}

/** Takes requests of other replicas for links that this one holds: those that know the key, and never on to a third. */
export class InternalListener {
    readonly #server: Server;
    readonly #settings: Settings;
    readonly #links: Links;
    readonly #tunnels: TunnelRecords;
    readonly #logger: Platform['logger'];
    readonly #tracing: Tracing;

    constructor(settings: Settings, { links, tunnels, logger, tracing }: ListenerParts) {
        this.#settings = settings;
        this.#links = links;
        this.#tunnels = tunnels;
        this.#logger = logger;
        this.#tracing = tracing;
        // The deadlines are the tunnel's.
        this.#server = createServer({ requestTimeout: 0, headersTimeout: 10_000 }, (request, response) => {
            this.#serve(request, response).catch((error: unknown) => {
                this.#logger.warn({ module: 'tunnels', err: error }, 'A relayed answer was cut');
                response.destroy();
            });
        });
    }

    /** As other replicas reach it. */
    get address(): string {
        const { port } = this.#server.address() as AddressInfo;
        const host = reachable(this.#settings.host);
        return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    }

    async start(): Promise<void> {
        this.#server.listen(this.#settings.port, this.#settings.host);
        await once(this.#server, 'listening');
    }

    /** Takes nothing new; what is on its way was ended by the drain, or is now. */
    async stop(): Promise<void> {
        if (!this.#server.listening) return;
        const closed = once(this.#server, 'close');
        this.#server.close();
        this.#server.closeAllConnections();
        await closed;
    }

    async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const { method = '', url = '', headers } = request;
        if (!isSigned(this.#settings.key, { method, path: url }, headers[SIGNATURE], Date.now())) {
            response.writeHead(401, { connection: 'close' }).end();
            return;
        }
        const found = PATH.exec(url) ?? DIAGNOSIS.exec(url) ?? [];
        const [, tenantId = '', tunnelId = '', connectionId, path] = found;
        const held = this.#links.find({ tenantId, tunnelId });
        if (!held || held.owner.connectionId !== connectionId) return refuse(response, 'moved');
        if (path !== undefined) return this.#relay(held, request, path, response);
        response.writeHead(200, { [FAULT]: '' }).end(JSON.stringify(await diagnoseLink(held, this.#tunnels)));
    }

    /** A line and a span of it, by which the way of a request is found that came in elsewhere. */
    async #relay(held: HeldLink, request: IncomingMessage, path: string, response: ServerResponse): Promise<void> {
        const { head, body } = readRequest(request, path);
        const { tenantId, tunnelId } = held.place;
        const requestId = headerOf(head.headers, 'x-request-id');
        const parent = headerOf(head.headers, 'traceparent');
        const attributes = { 'tenant.id': tenantId, 'request.id': requestId };
        const since = performance.now();
        try {
            await this.#tracing.inSpan('tunnel hop', { kind: 'server', parent, attributes }, () => {
                const headers = withHeader(head.headers, 'traceparent', this.#tracing.traceparent());
                return answer(held, { head: { ...head, headers }, body }, response);
            });
        } finally {
            const responseTime = Math.round(performance.now() - since);
            const line = {
                module: 'tunnels',
                requestId,
                tenantId,
                tunnelId,
                status: response.statusCode,
                responseTime,
            };
            this.#logger.info(line, 'relayed for another replica');
        }
    }
}

async function answer(held: HeldLink, request: Omit<RelayRequest, 'gone'>, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
        const { status, headers, body } = await held.send({ ...request, gone: gone.signal });
        response.sendDate = false;
        response.writeHead(status, [...headers, [FAULT, '']].flat());
        // Out with the head, as it is: `flushHeaders` would write it in UTF-8.
        response.write('', 'latin1');
        await pipeline(body, response);
    } catch (error) {
        if (response.headersSent || gone.signal.aborted) return void response.destroy();
        if (!(error instanceof RelayFailure)) throw error;
        refuse(response, error.fault);
    }
}

/** With the rest of its body the connection is of no use any more. */
const refuse = (response: ServerResponse, fault: RelayFault): void =>
    void response.writeHead(STATUS[fault] ?? 502, { [FAULT]: fault, connection: 'close' }).end();

/** A listener on all addresses is reached at the first of them that others see. */
function reachable(host: string): string {
    if (host !== '0.0.0.0' && host !== '::') return host;
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

/** Null: it is switched off. */
export function internalSettings({ HOST, INTERNAL_HOST, INTERNAL_PORT, INTERNAL_KEY }: Config): Settings | null {
    if (INTERNAL_PORT === 0 || INTERNAL_KEY === undefined) return null;
    return { host: INTERNAL_HOST ?? HOST, port: INTERNAL_PORT, key: INTERNAL_KEY };
}
