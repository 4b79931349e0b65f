import { apiError } from '../../src/http/errors.ts';

import type { Request, ResponseObject, Server, ServerStateCookieOptions } from '@hapi/hapi';
import type { Grant } from './service.ts';
import type { Config } from '../../src/config.ts';

type CookieRequest = Pick<Request, 'app' | 'headers' | 'method' | 'state'>;

const SAFE_METHODS = new Set(['get', 'head', 'options']);

/** Makes the cookies `access` and `refresh` known: for scripts out of reach, for other sites unsent. */
export function defineCookies(server: Server, config: Config): void {
    const options: ServerStateCookieOptions = {
        isHttpOnly: true,
        isSecure: config.COOKIE_SECURE,
        isSameSite: 'Strict',
        encoding: 'none',
        ignoreErrors: true,
        path: '/',
    };
    server.state('access', { ...options, ttl: config.ACCESS_TOKEN_TTL * 1000 });
    server.state('refresh', { ...options, ttl: config.REFRESH_TOKEN_TTL * 1000, path: '/api' });
}

export const withCookies = (response: ResponseObject, { accessToken, refreshToken }: Grant): ResponseObject =>
    response.state('access', accessToken).state('refresh', refreshToken);

/**
 * A cookie of ours that the request brings. The browser sends it whoever made the page call us, so a request that
 * changes something must say that it comes from our own origin.
 *
 * @throws CSRF_REJECTED
 */
export function cookie(request: CookieRequest, name: 'access' | 'refresh'): string | null {
    const value: unknown = request.state[name];
    if (typeof value !== 'string') return null;
    if (!SAFE_METHODS.has(request.method) && !isSameOrigin(request)) throw apiError('CSRF_REJECTED');
    return value;
}

function isSameOrigin({ headers, app }: CookieRequest): boolean {
    const site: unknown = headers['sec-fetch-site'];
    if (site !== undefined) return site === 'same-origin';
    const origin: unknown = headers.origin;
    return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).host === app.client.host;
}
