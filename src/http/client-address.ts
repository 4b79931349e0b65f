import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

import { apiError } from './errors.ts';

import type { IncomingMessage } from 'node:http';
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';

/** Whose request it is: of the client, also where trusted proxies stand between us and it. */
export interface Client {
    /** In the normal form of its family; an IPv4 address that came mapped into IPv6 as IPv4. */
    ipAddress: string;
    protocol: 'http' | 'https';
    /** What the client named as the host. */
    host: string;
}

export interface ClientAddressOptions {
    /** Addresses and CIDRs of the proxies whose X-Forwarded-For, -Proto and -Host are believed. */
    trustedProxies: string[];
    /** Refuse what came by http, except for the probes. */
    requireHttps: boolean;
}

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** What an address is, in the form that it came in. */
interface Hop {
    ipAddress: string;
    isValid: boolean;
    isTrusted: boolean;
}
type ReadHop = (text: string) => Hop;
type Peer = Pick<Request, 'headers'> & { info: Pick<Request['info'], 'remoteAddress' | 'host'> };

/** Whoever asks these is within the cluster, where there is no TLS. */
const PROBES = /^\/(health\/|metrics$)/;
const REMEMBERED_ADDRESSES = 1_000;
const HOST = /^[A-Za-z0-9.:[\]-]{1,255}$/;

/** Sets `request.app.client`: the one place that knows the address and the protocol of a client. */
export const clientAddress: Plugin<ClientAddressOptions> = {
    name: 'client-address',
    register: (server, { trustedProxies, requireHttps }) => {
        const readHop = hopReader(trustedProxies);
        server.ext('onRequest', (request, h) => {
            request.app.client = clientOf(request, readHop);
            return h.continue;
        });
        // It fails, and a failure needs the logger of the request.
        if (requireHttps) server.ext('onRequest', refuseHttp, { after: 'hapi-pino' });
    },
};

/** Whether what does not come as a request of hapi's, as an upgrade, came the way that the settings want it. */
export function isSecure(trustedProxies: string[], requireHttps: boolean): (request: IncomingMessage) => boolean {
    const readHop = hopReader(trustedProxies);
    return ({ headers, socket }) => {
        const info = { remoteAddress: socket.remoteAddress ?? '', host: headers.host ?? '' };
        return !requireHttps || clientOf({ headers, info }, readHop).protocol === 'https';
    };
}

/** @throws {Error} For what is neither an address nor a CIDR */
export function parseRange(text: string): Range {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
}

const refuseHttp: Lifecycle.Method = ({ app, path }, h) => {
    if (app.client.protocol === 'http' && !PROBES.test(path)) throw apiError('HTTPS_REQUIRED');
    return h.continue;
};

function clientOf({ headers, info }: Peer, readHop: ReadHop): Client {
    const peer = readHop(info.remoteAddress);
    const direct: Client = { ipAddress: peer.ipAddress, protocol: 'http', host: info.host };
    if (!peer.isTrusted) return direct;
    const hops = listOf(headers['x-forwarded-for']).map(withoutPort);
    let skipped = 0;
    let { ipAddress } = direct;
    // From the right: what a trusted proxy says of its peer is believed, what somebody else says is not.
    for (const text of hops.toReversed()) {
        const hop = readHop(text);
        if (!hop.isValid) break;
        ({ ipAddress } = hop);
        if (!hop.isTrusted) break;
        skipped++;
    }
    const protocol = entryOf(headers['x-forwarded-proto'], skipped)?.toLowerCase();
    const host = entryOf(headers['x-forwarded-host'], skipped);
    return {
        ipAddress,
        protocol: protocol === 'https' ? 'https' : 'http',
        host: host !== undefined && HOST.test(host) ? host : direct.host,
    };
}

const listOf = (header: unknown): string[] =>
    typeof header === 'string' ? header.split(',').map((entry) => entry.trim()) : [];

/** What was written by the proxy that the client spoke to: each appends its entry, or one writes the only entry. */
function entryOf(header: unknown, skipped: number): string | undefined {
    const entries = listOf(header);
    return entries[Math.max(0, entries.length - 1 - skipped)];
}

/** Some proxies write `192.0.2.1:443` or `[2001:db8::1]:443`. */
const withoutPort = (hop: string): string =>
    /^\[([0-9A-Fa-f:.]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;

/** Reads addresses, and remembers those that come again and again: proxies and busy clients. */
function hopReader(trustedProxies: string[]): ReadHop {
    const ranges = trustedProxies.map(parseRange);
    const known = new LRUCache<string, Hop>({ max: REMEMBERED_ADDRESSES });
    return (text) => {
        const found = known.get(text);
        if (found) return found;
        const hop = hopOf(text, ranges);
        // What is none may be of any length.
        if (hop.isValid) known.set(text, hop);
        return hop;
    };
}

/** A unix socket has no address; every other peer has one. */
function hopOf(text: string, ranges: Range[]): Hop {
    if (!ipaddr.isValid(text)) return { ipAddress: 'unknown', isValid: false, isTrusted: false };
    const address = ipaddr.process(text);
    const isTrusted = ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
    return { ipAddress: address.toString(), isValid: true, isTrusted };
}
