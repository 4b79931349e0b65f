import { entry, type CatalogueEntry } from './entry.ts';

/** Who asks, and what they may do. */
export const accessErrors = {
    UNAUTHENTICATED: entry(
        401,
        'authentication',
        'The request needs a valid access token.',
        'Log in and send Authorization: Bearer <access token>.',
    ),
    TOKEN_EXPIRED: entry(
        401,
        'authentication',
        'The access token has expired.',
        'Get a new one at POST /api/auth/refresh.',
    ),
    SESSION_ENDED: entry(401, 'authentication', 'The session has ended.', 'Log in again.'),
    KEY_INVALID: entry(
        401,
        'authentication',
        'The API key is not valid.',
        'Check that it is complete; a key that was revoked or has expired must be replaced.',
    ),
    INVALID_CREDENTIALS: entry(
        401,
        'authentication',
        'The user name or the password is wrong.',
        'Check both, and the domain of the tenant.',
    ),
    RESET_TOKEN_INVALID: entry(
        401,
        'authentication',
        'The reset token is not valid: it was used, has expired or never was one.',
        'Ask for a new one at POST /api/auth/password/forgot.',
    ),
    REFRESH_INVALID: entry(401, 'authentication', 'The refresh token is not valid.', 'Log in again.'),
    REFRESH_REUSED: entry(
        401,
        'authentication',
        'The refresh token was used before; its session has been ended.',
        'Log in again. If you did not use it twice, somebody else did: change the password.',
    ),
    FORBIDDEN: entry(
        403,
        'authorization',
        'You are not permitted to do this.',
        'Ask an admin for the permission named in details.permission.',
    ),
    KEY_NOT_ALLOWED: entry(
        403,
        'authorization',
        'An API key may not be used here.',
        'Log in and use the access token of the session.',
    ),
    TENANT_MISMATCH: entry(
        403,
        'authorization',
        'X-Tenant-Id names another tenant than the credential.',
        'Leave the header out.',
    ),
    TENANT_SUSPENDED: entry(403, 'authorization', 'The tenant is suspended.', 'Ask the platform about the reason.'),
    USER_DISABLED: entry(403, 'authorization', 'The user is disabled.', 'Ask an admin of your tenant.'),
    REGISTRATION_CLOSED: entry(
        403,
        'authorization',
        'Registration is closed.',
        'Ask the platform to make a tenant for you.',
    ),
    HTTPS_REQUIRED: entry(403, 'authorization', 'This API is served over HTTPS only.', 'Use https:// instead.'),
    NETWORK_REFUSED: entry(
        403,
        'authorization',
        'This is not shown outside its own network.',
        'Ask from within the network, or have METRICS_TOKEN set and send it as Authorization: Bearer <token>.',
    ),
    CSRF_REJECTED: entry(
        403,
        'authorization',
        'A request by cookie must come from the same origin.',
        'Call from a page of the same origin, or send the token in the Authorization header.',
    ),
    NOTICE_REFUSED: entry(
        401,
        'authentication',
        'The notice is not signed as it has to be, is not of these minutes, or came before.',
        'Sign the body and the time anew; see the description of the route.',
    ),
} satisfies Record<string, CatalogueEntry>;
