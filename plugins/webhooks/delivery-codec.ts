import { isoTime } from '../../src/redis/codec.ts';

import type { Delivery, DeliveryReason, DeliveryStatus } from './api.ts';
import type { Attempt, FieldMapping, WebhookFormat } from './sender/types.ts';
import type { TenantEvent } from '../events/api.ts';

/** A delivery with what it carries: every attempt sends the same, whatever becomes of the webhook's settings. */
export interface StoredDelivery extends Delivery {
    /** How often it was begun. */
    round: string;
    event: TenantEvent;
    format: WebhookFormat;
    mapping: FieldMapping | null;
}

/** An attempt as it is kept. */
export interface AttemptEntry extends Attempt {
    at: string;
}

/** What is read for a list. */
export const LISTED = [
    'webhookId',
    'eventId',
    'eventType',
    'reason',
    'tries',
    'createdAt',
    'nextAttemptAt',
    'endedAt',
] as const;

type Hash = Record<string, string>;

const timeOf = (text: string | undefined): string | null => (text === undefined ? null : isoTime(Number(text)));

export function decodeDelivery(found: Hash): Delivery {
    const { id = '', webhookId = '', eventId = '', eventType = '', status = 'pending', tries, createdAt } = found;
    return {
        id,
        webhookId,
        eventId,
        eventType,
        status: status as DeliveryStatus,
        reason: (found.reason ?? null) as DeliveryReason | null,
        tries: Number(tries),
        createdAt: isoTime(Number(createdAt)),
        nextAttemptAt: timeOf(found.nextAttemptAt),
        endedAt: timeOf(found.endedAt),
    };
}

export function decodeStored(found: Hash): StoredDelivery {
    const { round = '', event = '{}', format = 'standard', mapping } = found;
    return {
        ...decodeDelivery(found),
        round,
        event: JSON.parse(event) as TenantEvent,
        format: format as WebhookFormat,
        mapping: mapping === undefined ? null : (JSON.parse(mapping) as FieldMapping),
    };
}

/** The `field, value, …` of what a delivery carries. */
export const encodeCarried = ({ event, format, mapping }: Pick<StoredDelivery, 'event' | 'format' | 'mapping'>) => [
    'eventId',
    event.id,
    'eventType',
    event.type,
    'event',
    JSON.stringify(event),
    'format',
    format,
    ...(mapping === null ? [] : ['mapping', JSON.stringify(mapping)]),
];
