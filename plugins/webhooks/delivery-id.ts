import { createHash } from 'node:crypto';

import { encodeTime } from 'ulid';

import type { TenantEvent } from '../events/api.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_LENGTH = 10;
const DIGEST_BYTES = 10;

/**
 * The id of the one delivery of an event to a webhook, whoever makes it and how often: the event's time, and 80 bits of
 * the SHA-256 of both ids.
 */
export function deliveryId({ id, timestamp }: Pick<TenantEvent, 'id' | 'timestamp'>, webhookId: string): string {
    const digest = createHash('sha256').update(`${id}\0${webhookId}`).digest().subarray(0, DIGEST_BYTES);
    return `dlv_${encodeTime(Date.parse(timestamp), TIME_LENGTH)}${base32(digest)}`;
}

/** Crockford's, five bits a character. */
function base32(bytes: Buffer): string {
    const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    return bits.replace(/.{5}/g, (five) => ALPHABET.charAt(Number.parseInt(five, 2)));
}
