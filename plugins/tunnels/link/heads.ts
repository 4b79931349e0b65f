import { ProtocolError } from './protocol-error.ts';

import type { EndpointHealth, Headers, Hello, LinkSettings, RequestHead, ResponseHead } from './types.ts';

/** RFC 9110, 5.6.2: what a method and, in lower case, a header's name consist of. */
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110, 5.5; nothing that would end a line. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;

/** Of settings: more than a tunnel has, and so that HEALTH of all has room in a frame. */
const MOST_ENDPOINTS = 50;
const LONGEST_ID = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws ProtocolError when the bytes are not UTF-8 */
export function parseText(bytes: Uint8Array): string {
    try {
        return utf8.decode(bytes);
    } catch {
        throw new ProtocolError('text is not UTF-8');
    }
}

function parseJson(bytes: Uint8Array): unknown {
    const text = parseText(bytes);
    try {
        return JSON.parse(text);
    } catch {
        throw new ProtocolError('malformed JSON');
    }
}

export function must(isRight: boolean, what: string): asserts isRight {
    if (!isRight) throw new ProtocolError(`invalid ${what}`);
}

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isCount = (value: unknown): value is number =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isHeader = (header: unknown): header is Headers[number] =>
    Array.isArray(header) &&
    header.length === 2 &&
    isText(header[0]) &&
    isText(header[1]) &&
    HEADER_NAME.test(header[0]) &&
    HEADER_VALUE.test(header[1]);
const isHeaders = (headers: unknown): headers is Headers => Array.isArray(headers) && headers.every(isHeader);

export function asList(bytes: Uint8Array, what: string): unknown[] {
    const list = parseJson(bytes);
    must(Array.isArray(list), what);
    return list;
}

export function asRecord(value: unknown, what: string): Record<string, unknown> {
    must(typeof value === 'object' && value !== null, what);
    return { ...value };
}

const toBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A request's head on the wire: `[method, path, headers, endpoint?]`. */
export const formatRequestHead = ({ method, path, headers, endpoint }: RequestHead): Buffer =>
    toBytes(endpoint === undefined ? [method, path, headers] : [method, path, headers, endpoint]);

/** @throws ProtocolError */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
    const list = asList(bytes, 'request');
    must(list.length === 3 || list.length === 4, 'request');
    const [method, path, headers, endpoint] = list;
    const head = { method, path, headers };
    return checkedRequest(list.length === 3 ? head : { ...head, endpoint });
}

/** As it is, if the other end would take it. @throws ProtocolError */
export function checkedRequest(head: { [part in keyof RequestHead]: unknown }): RequestHead {
    const { method, path, headers } = head;
    must(isText(method) && METHOD.test(method), 'method');
    must(isText(path) && PATH.test(path), 'path');
    must(isHeaders(headers), 'headers');
    if (!('endpoint' in head)) return { method, path, headers };
    must(isText(head.endpoint), 'endpoint');
    return { method, path, headers, endpoint: head.endpoint };
}

/** A response's head on the wire: `[status, headers]`. */
export const formatResponseHead = ({ status, headers }: ResponseHead): Buffer => toBytes([status, headers]);

/** @throws ProtocolError */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
    const list = asList(bytes, 'response');
    must(list.length === 2, 'response');
    const [status, headers] = list;
    return checkedResponse({ status, headers });
}

/** As it is, if the other end would take it. @throws ProtocolError */
export function checkedResponse({ status, headers }: { [part in keyof ResponseHead]: unknown }): ResponseHead {
    must(isCount(status) && Number.isInteger(status) && status >= 200 && status <= 999, 'status');
    must(isHeaders(headers), 'headers');
    return { status, headers };
}

export const formatHello = (hello: Hello): Buffer => toBytes(hello);

/** @throws ProtocolError */
export function parseHello(bytes: Uint8Array): Hello {
    const { version, agent, endpoints } = asRecord(parseJson(bytes), 'hello');
    must(version === 1, 'version');
    must(isText(agent), 'agent');
    must(Array.isArray(endpoints), 'endpoints');
    const known = endpoints.map((endpoint: unknown) => {
        const { id, priority, weight } = asRecord(endpoint, 'endpoint');
        must(isText(id) && isCount(priority) && isCount(weight), 'endpoint');
        return { id, priority, weight };
    });
    return { version, agent, endpoints: known };
}

export const formatHealth = (health: EndpointHealth[]): Buffer => toBytes(health);

/** @throws ProtocolError */
export function parseHealth(bytes: Uint8Array): EndpointHealth[] {
    return asList(bytes, 'health').map((item) => {
        const { endpoint, isHealthy, latencyMs, error } = asRecord(item, 'health');
        must(isText(endpoint) && typeof isHealthy === 'boolean', 'health');
        must(latencyMs === null || isCount(latencyMs), 'latency');
        if (error === undefined) return { endpoint, isHealthy, latencyMs };
        must(isText(error), 'health');
        return { endpoint, isHealthy, latencyMs, error };
    });
}

export const formatSettings = (settings: LinkSettings): Buffer => toBytes(settings);

/** @throws ProtocolError */
export function parseSettings(bytes: Uint8Array): LinkSettings {
    const { compression, endpoints } = asRecord(parseJson(bytes), 'settings');
    must(typeof compression === 'boolean', 'compression');
    must(Array.isArray(endpoints) && endpoints.length <= MOST_ENDPOINTS, 'endpoints');
    const known = endpoints.map((endpoint: unknown) => {
        const { id, url, priority, weight } = asRecord(endpoint, 'endpoint');
        must(
            isText(id) && id.length <= LONGEST_ID && isText(url) && isCount(priority) && isCount(weight) && weight > 0,
            'endpoint',
        );
        return { id, url, priority, weight };
    });
    return { compression, endpoints: known };
}
