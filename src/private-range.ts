import ipaddr from 'ipaddr.js';

/** A range of private IPv4 addresses (RFC 1918). */
export interface PrivateRange {
    /** In the form `10.64.0.0/16`. */
    cidr: string;
    /** Which of the private blocks it is a part of, as a CIDR. */
    block: string;
    /** The first and the last address for a machine, counted from the block's start: without network and broadcast. */
    first: number;
    last: number;
}

const BLOCKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
const SHORTEST_PREFIX = 8;
const LONGEST_PREFIX = 30;

/** @throws {Error} That says what is wrong with the range and how to mend it */
export function parsePrivateRange(cidr: string): PrivateRange {
    const [address = '', prefix = '', ...rest] = cidr.split('/');
    if (!ipaddr.IPv4.isValidFourPartDecimal(address) || !/^\d{1,2}$/.test(prefix) || rest.length > 0) {
        throw new Error('needs an IPv4 range like 10.64.0.0/16');
    }
    if (Number(prefix) < SHORTEST_PREFIX || Number(prefix) > LONGEST_PREFIX) {
        throw new Error(`needs a range of /${SHORTEST_PREFIX} to /${LONGEST_PREFIX}, like 10.64.0.0/16`);
    }
    const network = ipaddr.IPv4.networkAddressFromCIDR(cidr);
    const broadcast = ipaddr.IPv4.broadcastAddressFromCIDR(cidr);
    const block = BLOCKS.find((one) => [network, broadcast].every((end) => end.match(ipaddr.IPv4.parseCIDR(one))));
    if (block === undefined) throw new Error(`needs a range of private addresses, within ${BLOCKS.join(', ')}`);
    if (network.toString() !== address) {
        throw new Error(`begins in the middle of its range; write ${network.toString()}/${prefix}`);
    }
    const start = startOf(block);
    return { cidr, block, first: toNumber(network) - start + 1, last: toNumber(broadcast) - start - 1 };
}

/** The address so far from the start of a private block, as text. */
export function addressIn(block: string, offset: number): string {
    const number = startOf(block) + offset;
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

const toNumber = ({ octets }: ipaddr.IPv4): number => octets.reduce((number, octet) => number * 256 + octet, 0);

const startOf = (block: string): number => toNumber(ipaddr.IPv4.networkAddressFromCIDR(block));
