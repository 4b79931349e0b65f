import { lookup, Resolver as DnsResolver } from 'node:dns/promises';
import { isIP } from 'node:net';

import { refusalOf } from './address-guard.ts';
import { deadline } from './deadline.ts';
import { SendFailure } from './send-failure.ts';

/** Finds all addresses of a name, of both families; rejects or gives none when it has none. */
export type Resolver = (hostname: string, signal: AbortSignal) => Promise<string[]>;

/**
 * Asks name servers only: neither the hosts file nor the search domains of the network make a name ours.
 *
 * @param servers In place of the system's
 */
export const fromNameServers =
    (servers?: string[]): Resolver =>
    async (hostname, signal) => {
        const resolver = new DnsResolver({ tries: 2 });
        if (servers) resolver.setServers(servers);
        const cancel = (): void => resolver.cancel();
        signal.addEventListener('abort', cancel);
        try {
            // Of a name that has only one kind of address, the other question fails.
            const found = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
            return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
        } finally {
            signal.removeEventListener('abort', cancel);
        }
    };

/** Asks as other programs on this machine do, for development: `localhost` and names of containers are found. */
export const fromSystem: Resolver = async (hostname) => {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
};

/** How the addresses of a host are found and judged. */
export interface Resolution {
    resolver: Resolver;
    allowPrivate: boolean;
    timeoutMs: number;
}

/**
 * The addresses of a host, IPv4 first; each was checked.
 *
 * @throws {SendFailure} `unresolved`, `timeout`, or `address_refused` when any of them is refused; or what the signal
 *   was aborted with
 */
export async function resolveSafely(host: string, resolution: Resolution, signal?: AbortSignal): Promise<string[]> {
    const { allowPrivate } = resolution;
    const addresses = isIP(host) === 0 ? await findAll(host, resolution, signal) : [host];
    if (addresses.length === 0) throw new SendFailure('unresolved');
    if (addresses.some((address) => refusalOf(address, allowPrivate) !== null))
        throw new SendFailure('address_refused');
    return addresses.toSorted((one, other) => isIP(one) - isIP(other));
}

/** Ends in time, even if the resolver does not. */
async function findAll(host: string, { resolver, timeoutMs }: Resolution, outer?: AbortSignal): Promise<string[]> {
    const { signal, release } = deadline(timeoutMs, outer);
    try {
        signal.throwIfAborted();
        const aborted = new Promise<never>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
        });
        return await Promise.race([resolver(host, signal), aborted]);
    } catch (error) {
        signal.throwIfAborted();
        throw new SendFailure('unresolved', error);
    } finally {
        release();
    }
}
