import type { ApiKey } from './api.ts';

/** A key as its user sees it. */
export interface PublicKey extends Omit<ApiKey, 'userId' | 'hash' | 'previousHash' | 'previousUntil' | 'validUntil'> {
    expiresAt: string | null;
    previousSecretExpiresAt: string | null;
}

export const publicKey = ({
    userId: _user,
    hash: _hash,
    previousHash: _previous,
    previousUntil,
    validUntil,
    ...key
}: ApiKey): PublicKey => ({ ...key, expiresAt: validUntil, previousSecretExpiresAt: previousUntil });
