import { randomBytes } from 'node:crypto';

import { ConfigError, loadConfig } from '../../src/config.ts';

export const JWT_SECRET = randomBytes(48).toString('base64url');
export const VAULT_SECRET = randomBytes(32).toString('base64');
export const KEYS = { JWT_KEYS: `k1:${JWT_SECRET}`, VAULT_KEYS: `k1:${VAULT_SECRET}` };

/** The lines that a start is refused with. */
export function faultsOf(environment: Record<string, string>, keys: Record<string, string> = KEYS): string[] {
    try {
        loadConfig({ ...keys, ...environment });
    } catch (error) {
        if (error instanceof ConfigError) return error.message.split('\n');
        throw error;
    }
    return [];
}
