import { cookie } from './cookies.ts';
import { apiError } from '../../src/http/errors.ts';

import type { Request } from '@hapi/hapi';
import type { AccessClaims } from '../../src/security/access-tokens.ts';

/** The access token of a request, from the Authorization header or the `access` cookie. @throws CSRF_REJECTED */
export function accessTokenOf(request: Request): string | null {
    const header: unknown = request.headers.authorization;
    if (typeof header !== 'string') return cookie(request, 'access');
    return /^Bearer ([\w.-]+)$/i.exec(header)?.[1] ?? null;
}

/** @throws TENANT_MISMATCH when X-Tenant-Id names another tenant than the token */
export function checkTenant({ headers }: Request, { tid }: Pick<AccessClaims, 'tid'>): void {
    const named: unknown = headers['x-tenant-id'];
    if (named !== undefined && named !== tid) throw apiError('TENANT_MISMATCH');
}
