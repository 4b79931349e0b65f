import { cookie } from './cookies.ts';
import { apiError } from '../../src/http/errors.ts';
import { looksLikeApiKey } from '../../src/security/api-keys.ts';

import type { Request } from '@hapi/hapi';

/** What a request names itself by. */
export interface Credential {
    kind: 'token' | 'key';
    text: string;
}

/**
 * The credential of a request: from the Authorization header, else from X-API-Key, else the `access` cookie.
 *
 * @throws CSRF_REJECTED
 */
export function credentialOf(request: Request): Credential | null {
    const { authorization, 'x-api-key': key } = request.headers as Record<string, unknown>;
    if (authorization === undefined && typeof key === 'string') return { kind: 'key', text: key };
    const text = accessTokenOf(request);
    return text === null ? null : { kind: looksLikeApiKey(text) ? 'key' : 'token', text };
}

/** The access token of a request, from the Authorization header or the `access` cookie. @throws CSRF_REJECTED */
export function accessTokenOf(request: Request): string | null {
    const header: unknown = request.headers.authorization;
    if (typeof header !== 'string') return cookie(request, 'access');
    return /^Bearer ([\w.-]+)$/i.exec(header)?.[1] ?? null;
}

/** @throws TENANT_MISMATCH when X-Tenant-Id names another tenant than the credential */
export function checkTenant({ headers }: Request, tenantId: string): void {
    const named: unknown = headers['x-tenant-id'];
    if (named !== undefined && named !== tenantId) throw apiError('TENANT_MISMATCH');
}
