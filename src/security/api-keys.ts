import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { PLATFORM } from '../redis/keys.ts';

/** What the text of a service API key says of itself. */
export interface ApiKeyText {
    tenantId: string;
    keyId: string;
    /** SHA-256 of the whole text: all that is kept of it. */
    digest: string;
}

/** `lal_<tenant's ULID><key's ULID>_<secret><checksum>`: the lengths are fixed, as the secret may contain `_`. */
const FORM = /^(lal_([0-9A-HJKMNP-TV-Z]{26})([0-9A-HJKMNP-TV-Z]{26})_[\w-]{43})([0-9a-z]{7})$/;
/** The platform's own tenant has no ULID. */
const PLATFORM_CODE = '0'.repeat(26);

/** Whether a credential means to be a service API key. */
export const looksLikeApiKey = (text: string): boolean => text.startsWith('lal_');

/** Makes a new key of those ids: 256 random bits and a CRC-32, by which a mistyped one is known for what it is. */
export function makeApiKey(tenantId: string, keyId: string): { text: string; digest: string } {
    const tenant = tenantId === PLATFORM ? PLATFORM_CODE : tenantId.slice('tenant_'.length);
    const body = `lal_${tenant}${keyId.slice('key_'.length)}_${randomBytes(32).toString('base64url')}`;
    const text = body + checksum(body);
    return { text, digest: digestOf(text) };
}

/** Reads a key; null when it has another form or its checksum does not fit. */
export function openApiKey(text: string): ApiKeyText | null {
    const [, body = '', tenant = '', key = '', sum] = FORM.exec(text) ?? [];
    if (sum === undefined || sum !== checksum(body)) return null;
    return {
        tenantId: tenant === PLATFORM_CODE ? PLATFORM : `tenant_${tenant}`,
        keyId: `key_${key}`,
        digest: digestOf(text),
    };
}

const checksum = (body: string): string => crc32(body).toString(36).padStart(7, '0');
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
