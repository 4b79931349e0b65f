import { createHash } from 'node:crypto';

import { fromCrockford, toCrockford } from '../../src/crockford.ts';

const ID = /^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const CHARACTERS = 26;
/** Of the 80 bits after the time. */
const DIGEST_BITS = 48n;
const SEQUENCE_BITS = 32n;

const masked = (value: bigint, bits: bigint): bigint => value & ((1n << bits) - 1n);

const digestOf = (tenantId: string): bigint =>
    BigInt(
        `0x${createHash('sha256')
            .update(tenantId)
            .digest('hex')
            .slice(0, Number(DIGEST_BITS) / 4)}`,
    );

/**
 * The id of an event by its place in the tenant's stream, `<time in ms>-<sequence>`: a ULID of time, sequence and a
 * digest of the tenant, in the order of the stream.
 *
 * @throws {RangeError} When the sequence is none that a stream comes to
 */
export function eventId(tenantId: string, streamId: string): string {
    const [time = '', sequence = '0'] = streamId.split('-');
    if (BigInt(sequence) >> SEQUENCE_BITS !== 0n) throw new RangeError('Too many events in a millisecond');
    const place = (BigInt(time) << SEQUENCE_BITS) | BigInt(sequence);
    return `evt_${toCrockford((place << DIGEST_BITS) | digestOf(tenantId), CHARACTERS)}`;
}

/** Back to the place in the stream; null for what is no id of an event of that tenant. */
export function streamIdOf(tenantId: string, id: string): string | null {
    if (!ID.test(id)) return null;
    const value = fromCrockford(id.slice('evt_'.length));
    if (masked(value, DIGEST_BITS) !== digestOf(tenantId)) return null;
    const place = value >> DIGEST_BITS;
    return `${place >> SEQUENCE_BITS}-${masked(place, SEQUENCE_BITS)}`;
}
