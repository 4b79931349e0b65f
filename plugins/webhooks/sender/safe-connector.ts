import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { Client } from 'undici';

import { deadline, type Timeouts } from './deadline.ts';
import { hostOf, portOf } from './safe-url.ts';
import { SendFailure } from './send-failure.ts';

import type { buildConnector } from 'undici';

const MAX_HEADERS = 16_384;
/** Before the next address of the same host is tried as well. */
const NEXT_ADDRESS_MS = 1_000;

/** What a connection is made to, and how. */
export interface Target {
    url: URL;
    /** Those that were checked; the name is not resolved again. */
    addresses: string[];
    timeouts: Timeouts;
    /** Ends connecting. */
    signal: AbortSignal;
    /** Certificate authorities in place of the system's. */
    ca?: string | undefined;
}

/**
 * A client for one request. Each has its own connection, and it is closed after the answer: what is kept open could be
 * used after its name has come to mean another address, and by another tenant. No proxy, no redirects.
 */
export const safeClient = (target: Target): Client =>
    new Client(target.url.origin, {
        connect: safeConnector(target),
        pipelining: 0,
        allowH2: false,
        maxHeaderSize: MAX_HEADERS,
        headersTimeout: target.timeouts.headersMs,
        bodyTimeout: target.timeouts.bodyMs,
    });

/** Connects to the checked addresses whatever it is asked for. */
export const safeConnector =
    (target: Target): buildConnector.connector =>
    (_asked, callback) => {
        open(target).then(
            (socket) => callback(null, socket),
            (error: Error) => callback(error, null),
        );
    };

/** @throws {SendFailure} `connection`, `tls` or `timeout`; or what the signal was aborted with */
async function open(target: Target): Promise<Socket> {
    const { url, timeouts } = target;
    const isTls = url.protocol === 'https:';
    const limit = deadline(timeouts.connectMs, target.signal);
    try {
        limit.signal.throwIfAborted();
        return await new Promise<Socket>((resolve, reject) => {
            let isConnected = false;
            const socket = isTls ? connectTls(tlsOptions(target)) : connectTcp(tcpOptions(target));
            const fail = (error: unknown): void =>
                reject(new SendFailure(isConnected && isTls ? 'tls' : 'connection', error));
            // Stays: an error with nobody to hear it would end the process.
            socket.on('error', fail);
            socket.once('close', fail);
            socket.once('connect', () => (isConnected = true));
            socket.once(isTls ? 'secureConnect' : 'connect', () => resolve(socket));
            limit.signal.addEventListener('abort', () => {
                reject(limit.signal.reason);
                socket.destroy();
            });
        });
    } finally {
        limit.release();
    }
}

const tcpOptions = ({ url, addresses }: Target) => ({
    host: hostOf(url),
    port: portOf(url),
    lookup: pinned(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    noDelay: true,
});

const tlsOptions = (target: Target) => ({
    ...tcpOptions(target),
    // A name is sent and checked; an address is only checked (RFC 6066, section 3).
    servername: isIP(hostOf(target.url)) === 0 ? hostOf(target.url) : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    ...(target.ca !== undefined && { ca: target.ca }),
});

/** Resolves every name to the addresses that were checked; it is asked for all, to try one after the other. */
const pinned =
    (addresses: string[]): LookupFunction =>
    (_hostname, _options, callback) =>
        callback(
            null,
            addresses.map((address) => ({ address, family: isIP(address) })),
        );
