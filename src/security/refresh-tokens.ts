import { createHmac, timingSafeEqual } from 'node:crypto';

import type { Keyring } from './keyring.ts';

/** What a refresh token stands for: the n-th refresh of a session. */
export interface RefreshClaims {
    tenantId: string;
    userId: string;
    sessionId: string;
    counter: number;
}

const VERSION = 'rt1';

/**
 * Refresh tokens as signed counters: `rt1.<kid>.<tenant>.<user>.<session>.<counter>.<HMAC-SHA256>`. The same counter
 * gives the same token, so two tabs that refresh at once are given the same successor; nothing of it is stored.
 */
export class RefreshTokens {
    readonly #keyring: Keyring;

    constructor(keyring: Keyring) {
        this.#keyring = keyring;
    }

    issue({ tenantId, userId, sessionId, counter }: RefreshClaims): string {
        const { id, secret } = this.#keyring.newest;
        const signed = [VERSION, id, tenantId, userId, sessionId, counter].join('.');
        return `${signed}.${mac(secret, signed).toString('base64url')}`;
    }

    /** The claims, or null when the token was altered or its key was retired. */
    open(token: string): RefreshClaims | null {
        const end = token.lastIndexOf('.');
        const signed = token.slice(0, end);
        const [version, id = '', tenantId = '', userId = '', sessionId = '', counter = ''] = signed.split('.');
        const key = this.#keyring.find(id);
        if (version !== VERSION || !key) return null;
        const expected = Buffer.from(mac(key.secret, signed).toString('base64url'));
        const given = Buffer.from(token.slice(end + 1));
        if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
        return { tenantId, userId, sessionId, counter: Number(counter) };
    }
}

// The label keeps these signatures apart from those of access tokens, which are made with the same secrets.
const mac = (secret: Buffer, signed: string): Buffer =>
    createHmac('sha256', secret).update(`refresh token ${signed}`).digest();
