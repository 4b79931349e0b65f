import { randomFillSync } from 'node:crypto';

import Joi from 'joi';
import { ulid } from 'ulid';

/** What an id begins with, by the kind of record. */
export type IdPrefix =
    | 'tenant'
    | 'user'
    | 'sess'
    | 'thread'
    | 'msg'
    | 'req'
    | 'jti'
    | 'run'
    | 'key'
    | 'slot'
    | 'chatcmpl'
    | 'call'
    | 'bill'
    | 'hold'
    | 'job'
    | 'project'
    | 'vm'
    | 'op'
    | 'tun'
    | 'proxy'
    | 'lease'
    | 'endpoint'
    | 'share'
    | 'link'
    | 'hook'
    | 'dlv'
    | 'evt'
    | 'restore'
    | 'schedule'
    | 'bulk'
    | 'replica';

// A call for each random number would be the dearest part of a request: they are drawn in stock.
const stock = new Uint8Array(4_096);
let drawn = stock.length;

function randomFraction(): number {
    if (drawn === stock.length) {
        randomFillSync(stock);
        drawn = 0;
    }
    return (stock[drawn++] ?? 0) / 256;
}

/** A new id, `<prefix>_<ULID>`: unique, and in the order of time. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${ulid(undefined, randomFraction)}`;

/** The schema of an id of that kind. */
export const idSchema = (prefix: IdPrefix): Joi.StringSchema =>
    Joi.string()
        .pattern(new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`), `${prefix} id`)
        .example(`${prefix}_01K9ZQ4V7N8M3T5R2W6X1Y0ABC`);
