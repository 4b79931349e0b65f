import type { Headers } from './types.ts';

/** Of one connection only (RFC 9110, 7.6.1), with those that were in use before. */
const HOP_BY_HOP = [
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
];

/** Of the API and its users alone: what the target has no business to know, or would mistake for its own. */
const NOT_FOR_TARGET = new Set([
    ...HOP_BY_HOP,
    'authorization',
    'cookie',
    'cookie2',
    'expect',
    'host',
    'origin',
    'referer',
    'x-api-key',
    'x-tenant-id',
]);

/** What a target must not say in the name of the API. */
const NOT_FOR_CLIENT = new Set([
    ...HOP_BY_HOP,
    'set-cookie',
    'set-cookie2',
    'strict-transport-security',
    'content-security-policy',
    'clear-site-data',
    'alt-svc',
    'public-key-pins',
    'service-worker-allowed',
    'www-authenticate',
    'date',
    'server',
    'x-request-id',
]);
const PREFIXES_NOT_FOR_TARGET = /^(x-forwarded-|forwarded$|x-real-ip$|x-internal-|sec-|cf-)/;
const PREFIXES_NOT_FOR_CLIENT = /^(access-control-|x-internal-|x-ratelimit-)/;

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// oxlint-disable-next-line no-control-regex -- these are what must not be there
const NOT_A_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f\u0100-\uffff]/;

/** The headers of a request that reach the target. */
export const forTarget = (headers: Headers): Headers => filter(headers, NOT_FOR_TARGET, PREFIXES_NOT_FOR_TARGET);

/** The headers of an answer that reach the client. */
export const forClient = (headers: Headers): Headers => filter(headers, NOT_FOR_CLIENT, PREFIXES_NOT_FOR_CLIENT);

/** With that header, in place of any of its name; as they are when there is no value. */
export const withHeader = (headers: Headers, name: string, value: string | undefined): Headers =>
    value === undefined ? headers : [...headers.filter(([other]) => other !== name), [name, value]];

/** The value of a header; undefined when there is none. */
export const headerOf = (headers: Headers, name: string): string | undefined =>
    headers.find(([other]) => other === name)?.[1];

function filter(headers: Headers, dropped: Set<string>, prefixes: RegExp): Headers {
    // What the header Connection names belongs to that connection too.
    const named = new Set(
        headers.flatMap(([name, value]) =>
            name === 'connection' ? value.split(',').map((part) => part.trim().toLowerCase()) : [],
        ),
    );
    return headers.filter(
        ([name, value]) =>
            TOKEN.test(name) &&
            !NOT_A_VALUE.test(value) &&
            !dropped.has(name) &&
            !named.has(name) &&
            !prefixes.test(name),
    );
}

/** The form of Node.js, name and value in turn, as pairs. */
export function headerPairs(raw: string[]): Headers {
    const pairs: Headers = [];
    for (let index = 0; index + 1 < raw.length; index += 2) {
        pairs.push([(raw[index] ?? '').toLowerCase(), raw[index + 1] ?? '']);
    }
    return pairs;
}
