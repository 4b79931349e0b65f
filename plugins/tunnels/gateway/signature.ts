import { createHmac, timingSafeEqual } from 'node:crypto';

const MOST_SKEW_MS = 30_000;
const FORM = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/;

/** The header that a replica proves itself by. */
export const SIGNATURE = 'x-internal-signature';

/** What a signature is about. */
export interface Signed {
    method: string;
    path: string;
}

/** Proves that a request comes from a replica that knows the key, now. */
export const sign = (key: string, signed: Signed, now: number): string => `t=${now},v1=${digest(key, signed, now)}`;

/** Whether it does, in a time that does not tell how much of the signature is right; good for 30 s. */
export function isSigned(key: string, signed: Signed, signature: unknown, now: number): boolean {
    const [, time, given] = typeof signature === 'string' ? (FORM.exec(signature) ?? []) : [];
    if (time === undefined || given === undefined) return false;
    const isSame = timingSafeEqual(Buffer.from(given, 'hex'), Buffer.from(digest(key, signed, Number(time)), 'hex'));
    return isSame && Math.abs(now - Number(time)) <= MOST_SKEW_MS;
}

const digest = (key: string, { method, path }: Signed, time: number): string =>
    createHmac('sha256', key).update(`${time}\n${method}\n${path}`).digest('hex');
