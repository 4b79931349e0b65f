import { createHash } from 'node:crypto';

import { encodeTime } from 'ulid';

import { toCrockford } from '../../src/crockford.ts';

import type { TenantEvent } from '../events/api.ts';

const TIME_LENGTH = 10;
const DIGEST_LENGTH = 16;
const HEX_DIGITS = 20;

/**
 * The id of the one delivery of an event to a webhook, whoever makes it and how often: the event's time, and 80 bits of
 * the SHA-256 of both ids.
 */
export function deliveryId({ id, timestamp }: Pick<TenantEvent, 'id' | 'timestamp'>, webhookId: string): string {
    const digest = createHash('sha256').update(`${id}\0${webhookId}`).digest('hex').slice(0, HEX_DIGITS);
    return `dlv_${encodeTime(Date.parse(timestamp), TIME_LENGTH)}${toCrockford(BigInt(`0x${digest}`), DIGEST_LENGTH)}`;
}
