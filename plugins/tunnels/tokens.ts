import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import { PLATFORM } from '../../src/redis/keys.ts';

/** Of an agent, of one tunnel; or of a share. */
export type TokenKind = 'tun' | 'share';

/** What a token says of itself. */
export interface TokenText {
    tenantId: string;
    /** Of the tunnel, or of the share. */
    id: string;
    /** SHA-256 of the whole text: all that is kept of it. */
    hash: string;
}

/** `<kind>_<tenant's ULID><record's ULID>_<secret>`: the lengths are fixed, as the secret may contain `_`. */
const FORM = /^(tun|share)_([0-9A-HJKMNP-TV-Z]{26})([0-9A-HJKMNP-TV-Z]{26})_[\w-]{43}$/;
/** The platform's own tenant has no ULID. */
const PLATFORM_CODE = '0'.repeat(26);

/** Makes a new token, with 256 random bits, of the record with that id. */
export function makeToken(kind: TokenKind, tenantId: string, id: string): { text: string; hash: string } {
    const tenant = tenantId === PLATFORM ? PLATFORM_CODE : tenantId.slice('tenant_'.length);
    const text = `${kind}_${tenant}${id.slice(kind.length + 1)}_${randomBytes(32).toString('base64url')}`;
    return { text, hash: hashOf(text) };
}

/** Reads a token of that kind; null when it has another form. */
export function openToken(kind: TokenKind, text: string): TokenText | null {
    const [, found, tenant, id] = FORM.exec(text) ?? [];
    if (found !== kind || tenant === undefined || id === undefined) return null;
    return {
        tenantId: tenant === PLATFORM_CODE ? PLATFORM : `tenant_${tenant}`,
        id: `${kind}_${id}`,
        hash: hashOf(text),
    };
}

/** Whether two hashes of tokens are the same, in a time that does not tell how much of them is. */
export const isSameHash = (one: string, other: string): boolean =>
    one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
