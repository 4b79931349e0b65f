import { createHash } from 'node:crypto';

/** Where a chain ends: the last entry, its hash, and how many there are up to it, those that were trimmed included. */
export interface ChainEnd {
    id: string;
    hash: string;
    count: number;
}

/** What a chain begins with, for no two tenants alike. */
export const genesis = (tenantId: string): ChainEnd => ({
    id: '0-0',
    hash: createHash('sha256').update(`audit ${tenantId}`).digest('hex'),
    count: 0,
});

/**
 * The hash of an entry: SHA-256 (FIPS 180-4) over the previous hash, the id, and all fields and values as they are
 * stored, in their order, byte by byte; each with its length before it, in four bytes, so that none can pass for
 * another.
 *
 * @returns In hexadecimal
 */
export function link(previous: string, id: string, fields: Buffer[]): string {
    const hash = createHash('sha256').update(Buffer.from(previous, 'hex'));
    for (const part of [Buffer.from(id), ...fields]) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(part.length);
        hash.update(length).update(part);
    }
    return hash.digest('hex');
}

/** Whether one id of a stream comes before another. */
export const isBefore = (one: string, other: string): boolean => orderOf(one) < orderOf(other);

/** A text by which ids sort. */
export const orderOf = (id: string): string =>
    id
        .split('-')
        .map((part) => part.padStart(20, '0'))
        .join('-');

/** The id right after that one. */
export function after(id: string): string {
    const [time = '0', sequence = '0'] = id.split('-');
    return `${time}-${BigInt(sequence) + 1n}`;
}
