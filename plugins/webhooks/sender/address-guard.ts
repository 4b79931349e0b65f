import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Why an address is refused. */
export type AddressRefusal = 'not_an_address' | 'metadata' | 'translated' | 'not_public';

/**
 * What clouds tell machines about themselves, credentials among it, and their services for nothing but the machine. All
 * of 169.254.0.0/16 and fe80::/10 are refused with them; these are outside of it, some even public.
 */
const METADATA = ['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32', 'fd00:ec2::/32', 'fd20:ce::254/128'].map(
    (cidr): Range => ipaddr.parseCIDR(cidr),
);

/**
 * IPv6 addresses that stand for an IPv4 address, which a gateway or the kernel would connect to: compatible, mapped,
 * translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), Teredo, 6to4.
 */
const STAND_FOR_IPV4 = [
    '::/96',
    '::ffff:0:0/96',
    '::ffff:0:0:0/96',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '2001::/32',
    '2002::/16',
].map((cidr): Range => ipaddr.parseCIDR(cidr));

/** Of IPv6, only this has been given out for use on the internet. */
const GLOBAL_UNICAST: Range = ipaddr.parseCIDR('2000::/3');

/** What development may reach besides the internet. */
const PRIVATE = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);

const isIn = (address: Address, range: Range): boolean => address.kind() === range[0].kind() && address.match(range);

const isMetadata = (address: Address): boolean =>
    address.range() === 'linkLocal' || METADATA.some((range) => isIn(address, range));

/** Besides the prefixes, the interface identifiers of ISATAP (RFC 5214). */
function standsForIPv4(address: Address): boolean {
    if (!(address instanceof ipaddr.IPv6)) return false;
    const [, , , , fifth = 0, sixth] = address.parts;
    // `::` and `::1` are what they are; an IPv4 address of that form does not exist.
    if (address.range() === 'unspecified' || address.range() === 'loopback') return false;
    return ((fifth & 0xfdff) === 0 && sixth === 0x5efe) || STAND_FOR_IPV4.some((range) => isIn(address, range));
}

const isPublic = (address: Address): boolean =>
    address.range() === 'unicast' && (address.kind() === 'ipv4' || isIn(address, GLOBAL_UNICAST));

/**
 * Why webhooks may not be sent to an address; null when they may. Forms that stand for an IPv4 address are refused
 * whatever it is: no receiver needs them, and where they lead depends on the network.
 *
 * @param allowPrivate Lets private and loopback addresses through as well, metadata never
 */
export function refusalOf(text: string, allowPrivate: boolean): AddressRefusal | null {
    if (isIP(text) === 0) return 'not_an_address';
    const address = ipaddr.parse(text);
    if (isMetadata(address)) return 'metadata';
    if (standsForIPv4(address)) return 'translated';
    if (isPublic(address) || (allowPrivate && PRIVATE.has(address.range()))) return null;
    return 'not_public';
}
