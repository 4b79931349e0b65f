import { createHash, randomBytes } from 'node:crypto';

const VERSION = 'it1';

/** Whom an invitation is for, and the hash under which it is kept. */
export interface InvitationClaims {
    tenantId: string;
    userId: string;
    hash: string;
}

/** A new invitation, `it1.<tenant>.<user>.<secret>`. Only the hash of it is stored. */
export function newInvitation(tenantId: string, userId: string): { token: string; hash: string } {
    const token = [VERSION, tenantId, userId, randomBytes(32).toString('base64url')].join('.');
    return { token, hash: digest(token) };
}

/** Reads a token; null when it is none of ours by its form. */
export function openInvitation(token: string): InvitationClaims | null {
    const [, tenantId, userId] = /^it1\.([A-Za-z0-9_]+)\.(user_[0-9A-Z]{26})\.[\w-]{43}$/.exec(token) ?? [];
    return tenantId === undefined || userId === undefined ? null : { tenantId, userId, hash: digest(token) };
}

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');
