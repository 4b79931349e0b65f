import { isIP } from 'node:net';

import { refusalOf } from './address-guard.ts';
import { apiError, type ApiError } from '../../../src/http/errors.ts';

/** Why a URL is refused, in `details.reason` of WEBHOOK_URL_REFUSED. */
export type UrlRefusal =
    | 'malformed'
    | 'too_long'
    | 'scheme'
    | 'credentials'
    | 'fragment'
    | 'port'
    | 'host'
    | 'address'
    | 'unresolved';

const MAX_LENGTH = 2_048;
const MAX_NAME = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const FIRST_FREE_PORT = 1_024;

/** Names that mean something else on every network, by agreement (RFC 6761, 6762, 8375) or by habit. */
const LOCAL_NAMES = /\.(local|localhost|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/;

/**
 * Databases, queues and control planes. Nobody receives webhooks there, and what comes in over HTTP has made some of
 * them act; 443 and all other ports from 1024 on are for receivers.
 */
const INTERNAL_SERVICES = new Set([
    1433, // SQL Server
    1521, // Oracle
    2049, // NFS
    2181, // ZooKeeper
    2375, // Docker
    2376,
    2379, // etcd
    2380,
    3306, // MySQL
    3389, // remote desktop
    5432, // PostgreSQL
    5672, // AMQP
    5900, // VNC
    5984, // CouchDB
    5985, // WinRM
    5986,
    6379, // Redis
    6380,
    6443, // Kubernetes
    8500, // Consul
    9042, // Cassandra
    9092, // Kafka
    9200, // Elasticsearch
    9300,
    10_250, // kubelet
    10_255,
    11_211, // memcached
    27_017, // MongoDB
]);

/** The error that tells why a URL is refused. */
export const urlRefused = (reason: UrlRefusal): ApiError => apiError('WEBHOOK_URL_REFUSED', { details: { reason } });

/** The host of a URL as it is resolved and connected to: of an IPv6 address without its brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** The port of a URL, also where it is the scheme's own. */
export const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80));

/**
 * Reads a URL that webhooks may be sent to, as far as it can be told without resolving its host.
 *
 * @param allowPrivate Lets plain HTTP, port 80, names of one label and of the local network, and private addresses
 *   through
 * @throws WEBHOOK_URL_REFUSED With why in `details.reason`
 */
export function parseSafeUrl(text: string, allowPrivate: boolean): URL {
    if (text.length > MAX_LENGTH) throw urlRefused('too_long');
    // The parser drops or mends these silently; nobody means them.
    if (/[\s\\\p{Cc}]/u.test(text) || !URL.canParse(text)) throw urlRefused('malformed');
    const url = new URL(text);
    const refusal = refusalOfParts(url, text, allowPrivate) ?? refusalOfHost(hostOf(url), allowPrivate);
    if (refusal) throw urlRefused(refusal);
    return url;
}

function refusalOfParts(url: URL, text: string, allowPrivate: boolean): UrlRefusal | null {
    if (url.href.length > MAX_LENGTH) return 'too_long';
    if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) return 'scheme';
    if (url.username !== '' || url.password !== '') return 'credentials';
    if (text.includes('#')) return 'fragment';
    return isFreePort(portOf(url), allowPrivate) ? null : 'port';
}

const isFreePort = (port: number, allowPrivate: boolean): boolean =>
    port === 443 || (allowPrivate && port === 80) || (port >= FIRST_FREE_PORT && !INTERNAL_SERVICES.has(port));

/** By then decimal, octal, hexadecimal, short and full-width forms of an address are addresses in their usual form. */
function refusalOfHost(host: string, allowPrivate: boolean): UrlRefusal | null {
    if (isIP(host) !== 0) return refusalOf(host, allowPrivate) ? 'address' : null;
    const labels = host.split('.');
    if (host.length > MAX_NAME || !labels.every((label) => LABEL.test(label))) return 'host';
    return allowPrivate || (labels.length > 1 && !LOCAL_NAMES.test(host)) ? null : 'host';
}
