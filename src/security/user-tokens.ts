import { createHash, randomBytes } from 'node:crypto';

const TOKEN = /^([a-z0-9]+)\.([A-Za-z0-9_-]{1,64})\.(user_[0-9A-HJKMNP-TV-Z]{26})\.[A-Za-z0-9_-]{43}$/;

/** Whom a token is for, and the digest under which it is kept. */
export interface UserTokenClaims {
    tenantId: string;
    userId: string;
    digest: string;
}

/**
 * A new token by which a user does one thing without a password, `<kind>.<tenant>.<user>.<secret>`. Only its digest is
 * stored, and needs no index: the token names its user.
 */
export function newUserToken(kind: string, tenantId: string, userId: string): { token: string; digest: string } {
    const token = [kind, tenantId, userId, randomBytes(32).toString('base64url')].join('.');
    return { token, digest: digestOf(token) };
}

/** Reads a token; null when by its form it is none of that kind. */
export function openUserToken(kind: string, token: string): UserTokenClaims | null {
    const [, found, tenantId, userId] = TOKEN.exec(token) ?? [];
    if (found !== kind || tenantId === undefined || userId === undefined) return null;
    return { tenantId, userId, digest: digestOf(token) };
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');
