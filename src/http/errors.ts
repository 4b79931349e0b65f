import { Boom } from '@hapi/boom';

/** The groups that clients branch on when a code is new to them. */
export type ErrorCategory =
    | 'validation'
    | 'authentication'
    | 'payment'
    | 'authorization'
    | 'not_found'
    | 'conflict'
    | 'rate_limit'
    | 'server'
    | 'service_unavailable';

export interface CatalogueEntry {
    status: number;
    category: ErrorCategory;
    message: string;
    suggestion: string;
}

const entry = (status: number, category: ErrorCategory, message: string, suggestion: string): CatalogueEntry => ({
    status,
    category,
    message,
    suggestion,
});

const RETRY = 'Try again in a moment; if it goes on, send us the request id.';
const RETRY_OR_ANOTHER = 'Try again in a moment or take another model.';

/** Every error the API answers with. Served at `GET /api/errors` and listed in the OpenAPI document. */
export const catalogue = {
    VALIDATION_ERROR: entry(
        400,
        'validation',
        'The request is not valid.',
        'Correct the fields named in details.fields.',
    ),
    MALFORMED_REQUEST: entry(
        400,
        'validation',
        'The request could not be read.',
        'Send a complete body that is JSON in UTF-8, and a valid path.',
    ),
    INVALID_CURSOR: entry(
        400,
        'validation',
        'The cursor does not belong to this list.',
        'Start again without a cursor, and change nothing else of the query between two pages.',
    ),
    PAYLOAD_TOO_LARGE: entry(
        413,
        'validation',
        'The body is too large.',
        'Send at most 1 MiB, or what the route says.',
    ),
    MESSAGE_TOO_LONG: entry(
        413,
        'validation',
        'The message has more tokens than one message may have.',
        'Shorten the message or send it in parts.',
    ),
    UNSUPPORTED_MEDIA_TYPE: entry(
        415,
        'validation',
        'The body has another content type.',
        'Send Content-Type: application/json, or what the route says.',
    ),
    PROVIDER_KEY_MISSING: entry(
        422,
        'validation',
        'There is no API key for the provider of this model.',
        'Configure a key of the provider, or take a model that needs none.',
    ),
    PROVIDER_KEY_INVALID: entry(
        422,
        'validation',
        'The provider refused its API key.',
        'Replace the API key of the provider.',
    ),
    PROVIDER_REFUSED: entry(
        422,
        'validation',
        'The provider refused the request.',
        'See details.reason; change the message or its parameters.',
    ),
    IDEMPOTENCY_KEY_REUSED: entry(
        422,
        'validation',
        'The Idempotency-Key was used for another body.',
        'Take a new key for each request, and the same one only to repeat it as it was.',
    ),
    INVITATION_INVALID: entry(
        422,
        'validation',
        'The invitation is not valid, was used before or has expired.',
        'Ask an admin of your tenant for a new one.',
    ),
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
    CSRF_REJECTED: entry(
        403,
        'authorization',
        'A request by cookie must come from the same origin.',
        'Call from a page of the same origin, or send the token in the Authorization header.',
    ),
    ROUTE_NOT_FOUND: entry(404, 'not_found', 'There is no such route.', 'See /documentation for the routes.'),
    TENANT_NOT_FOUND: entry(404, 'not_found', 'There is no such tenant.', 'Check the id.'),
    USER_NOT_FOUND: entry(404, 'not_found', 'There is no such user.', 'Check the id.'),
    SESSION_NOT_FOUND: entry(404, 'not_found', 'There is no such session.', 'Take an id from GET /api/auth/sessions.'),
    THREAD_NOT_FOUND: entry(404, 'not_found', 'There is no such thread.', 'Take an id from GET /api/threads.'),
    MODEL_NOT_FOUND: entry(404, 'not_found', 'There is no such model.', 'Take an id from GET /api/models.'),
    KEY_NOT_FOUND: entry(404, 'not_found', 'There is no such API key.', 'Take an id from GET /api/keys.'),
    PROVIDER_KEY_NOT_FOUND: entry(404, 'not_found', 'You have no API key of that provider.', 'See GET /api/profile.'),
    AVATAR_NOT_FOUND: entry(404, 'not_found', 'You have no avatar.', 'Send one with PUT /api/profile/avatar.'),
    DOMAIN_TAKEN: entry(409, 'conflict', 'The domain is taken.', 'Choose another domain.'),
    EMAIL_TAKEN: entry(409, 'conflict', 'The e-mail address is taken.', 'Choose another address, or log in.'),
    IDEMPOTENCY_IN_PROGRESS: entry(
        409,
        'conflict',
        'The first request with this Idempotency-Key still runs.',
        'Repeat it after the number of seconds in Retry-After.',
    ),
    LAST_ADMIN: entry(
        409,
        'conflict',
        'This is the last active admin of the tenant.',
        'Give the role to another active user first.',
    ),
    ALREADY_DELETED: entry(409, 'conflict', 'The record is deleted.', 'Restore it first, within 30 days.'),
    NOT_RESTORABLE: entry(
        409,
        'conflict',
        'The record is not deleted, or its 30 days are over.',
        'Read it again; after 30 days it is gone for good.',
    ),
    REVISION_MISMATCH: entry(
        412,
        'conflict',
        'The record has changed since you read it.',
        'Read it again and repeat the change with the new ETag in If-Match.',
    ),
    RATE_LIMITED: entry(
        429,
        'rate_limit',
        'There were too many requests.',
        'Wait for the number of seconds in Retry-After.',
    ),
    ACCOUNT_DELAYED: entry(
        429,
        'rate_limit',
        'There were too many failed logins.',
        'Wait for the number of seconds in Retry-After, or reset the password.',
    ),
    QUOTA_EXCEEDED: entry(
        429,
        'rate_limit',
        'The quota named in details.quota is used up.',
        'Wait until details.resetsAt, or ask for a larger plan.',
    ),
    CONCURRENCY_LIMIT: entry(
        429,
        'rate_limit',
        'There are as many generations running as your tier allows.',
        'Wait for one of them to end; see details.limit.',
    ),
    PROVIDER_RATE_LIMITED: entry(
        429,
        'rate_limit',
        'The provider of the model has limited the rate.',
        'Wait for Retry-After, or take another model.',
    ),
    INTERNAL_ERROR: entry(500, 'server', 'Something went wrong on our side.', RETRY),
    PROVIDER_ERROR: entry(502, 'server', 'The provider of the model failed.', RETRY_OR_ANOTHER),
    PROVIDER_TIMEOUT: entry(504, 'server', 'The provider of the model did not answer in time.', RETRY_OR_ANOTHER),
    PROVIDER_OVERLOADED: entry(
        503,
        'service_unavailable',
        'The provider of the model is overloaded.',
        RETRY_OR_ANOTHER,
    ),
    CIRCUIT_OPEN: entry(
        503,
        'service_unavailable',
        'The provider of the model has failed too often and is left alone for a while.',
        'Wait for the number of seconds in Retry-After, or take another model.',
    ),
    STORE_UNAVAILABLE: entry(503, 'service_unavailable', 'The datastore is not reachable.', RETRY),
    REQUEST_TIMEOUT: entry(503, 'service_unavailable', 'The request took too long.', RETRY),
    SERVER_BUSY: entry(
        503,
        'service_unavailable',
        'The server has too much to do.',
        'Wait for the number of seconds in Retry-After.',
    ),
    SHUTTING_DOWN: entry(503, 'service_unavailable', 'This server is about to stop.', 'Send the request again.'),
} satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

/** An error from the catalogue; `data.code` names its entry. */
export type ApiError = Boom<{ code: ErrorCode; details?: Record<string, unknown> }>;

export interface ErrorOptions {
    /** What the client may know besides the catalogue's text. */
    details?: Record<string, unknown>;
    /** Seconds until a retry makes sense, sent as Retry-After. */
    retryAfter?: number;
    /** What went wrong underneath: for the log, never for the client. */
    cause?: unknown;
}

/** Makes the error of a catalogue code, to be thrown. */
export function apiError(code: ErrorCode, { details, retryAfter, cause }: ErrorOptions = {}): ApiError {
    const { status, message } = catalogue[code];
    const error: ApiError = new Boom(message, { statusCode: status, data: { code, ...(details && { details }) } });
    if (retryAfter !== undefined) error.output.headers['retry-after'] = Math.ceil(retryAfter);
    if (cause !== undefined) error.cause = cause;
    return error;
}

/** Whether an error is one of the catalogue's, with that code if one is given. */
export function isApiError(error: unknown, code?: ErrorCode): error is ApiError {
    if (!(error instanceof Boom)) return false;
    const data: unknown = error.data;
    if (typeof data !== 'object' || data === null || !('code' in data)) return false;
    return code === undefined ? Object.hasOwn(catalogue, String(data.code)) : data.code === code;
}

/** The `error` object of an answer or of an `error` event. */
export interface ErrorBody {
    code: ErrorCode;
    message: string;
    category: ErrorCategory;
    statusCode: number;
    details?: Record<string, unknown>;
    suggestion: string;
    correlationId: string;
}

/** @param requestId Becomes the `correlationId` */
export function errorBody({ data }: ApiError, requestId: string): ErrorBody {
    const code = data?.code ?? 'INTERNAL_ERROR';
    const { status, category, message, suggestion } = catalogue[code];
    const details = data?.details;
    return {
        code,
        message,
        category,
        statusCode: status,
        ...(details && { details }),
        suggestion,
        correlationId: requestId,
    };
}
