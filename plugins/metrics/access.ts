import { createHash, timingSafeEqual } from 'node:crypto';

import ipaddr from 'ipaddr.js';

import { apiError } from '../../src/http/errors.ts';

import type { IncomingHttpHeaders } from 'node:http';

/** Who asks for the metrics. */
export interface Reader {
    /** Of the peer, whoever it asks for. */
    remoteAddress: string;
    headers: IncomingHttpHeaders;
}

const PRIVATE = new Set(['loopback', 'private', 'uniqueLocal']);
/** They say that somebody asks for somebody else, in forms that are not read here. */
const OTHER_HOPS = ['forwarded', 'via'];

/** Refuses whoever may not read the metrics. @throws UNAUTHENTICATED, NETWORK_REFUSED */
export const checkReader = (token: string | undefined): ((reader: Reader) => void) =>
    token === undefined ? checkNetwork : checkToken(token);

function checkToken(token: string): (reader: Reader) => void {
    const expected = digest(token);
    return ({ headers: { authorization } }) => {
        const [, given] = /^Bearer (\S+)$/i.exec(String(authorization)) ?? [];
        if (given === undefined || !timingSafeEqual(digest(given), expected)) throw apiError('UNAUTHENTICATED');
    };
}

/** Of one length, whatever is given. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * All on the way must be of private networks, the peer and whoever it says it asks for, trusted or not: what a proxy
 * adds to the header cannot be taken away by its client, so that nobody from outside gets here through one.
 */
function checkNetwork({ remoteAddress, headers }: Reader): void {
    const hops = [headers['x-forwarded-for'], headers['x-real-ip']].flatMap((value) => value ?? []);
    const addresses = [remoteAddress, ...hops.flatMap((hop) => hop.split(',').map((address) => address.trim()))];
    const isHidden = OTHER_HOPS.some((name) => headers[name] !== undefined);
    if (isHidden || !addresses.every(isPrivate)) throw apiError('NETWORK_REFUSED');
}

const isPrivate = (address: string): boolean => ipaddr.isValid(address) && PRIVATE.has(ipaddr.process(address).range());
