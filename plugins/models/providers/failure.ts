import { isText } from './wire.ts';
import { apiError, type ApiError, type ErrorCode } from '../../../src/http/errors.ts';

const MAX_REASON = 300;

/** What a provider tells of a failure; whatever of it came. */
export interface Failure {
    /** Its own words: they may reach the client and the log. */
    message?: unknown;
    /** What it calls such a failure: its types, codes and states. */
    kinds?: unknown[];
    /** What it calls the request: for the log. */
    requestId?: unknown;
}

/** What is known around a failure. */
export interface FailureContext {
    /** None: it came after a 200, in the answer. */
    status?: number;
    /** Seconds */
    retryAfter?: number | undefined;
    /** The key that was sent. */
    apiKey?: string | undefined;
}

const BY_STATUS: Record<number, ErrorCode> = {
    400: 'PROVIDER_REFUSED',
    401: 'PROVIDER_KEY_INVALID',
    402: 'PROVIDER_RATE_LIMITED',
    403: 'PROVIDER_KEY_INVALID',
    404: 'PROVIDER_REFUSED',
    413: 'PROVIDER_REFUSED',
    422: 'PROVIDER_REFUSED',
    429: 'PROVIDER_RATE_LIMITED',
    503: 'PROVIDER_OVERLOADED',
    529: 'PROVIDER_OVERLOADED',
};

/** What providers call a failure says more than its status, which is 200 where an answer fails in its middle. */
const BY_KIND = new Map<unknown, ErrorCode>([
    ['overloaded_error', 'PROVIDER_OVERLOADED'],
    ['server_is_overloaded', 'PROVIDER_OVERLOADED'],
    ['UNAVAILABLE', 'PROVIDER_OVERLOADED'],
    ['rate_limit_error', 'PROVIDER_RATE_LIMITED'],
    ['rate_limit_exceeded', 'PROVIDER_RATE_LIMITED'],
    ['RESOURCE_EXHAUSTED', 'PROVIDER_RATE_LIMITED'],
    ['authentication_error', 'PROVIDER_KEY_INVALID'],
    ['invalid_api_key', 'PROVIDER_KEY_INVALID'],
    ['API_KEY_INVALID', 'PROVIDER_KEY_INVALID'],
    ['UNAUTHENTICATED', 'PROVIDER_KEY_INVALID'],
]);

/** The account has nothing left: no retry will mend that. */
const QUOTA = new Set<unknown>(['insufficient_quota', 'credit_balance_exhausted', 'billing_error']);

/** The catalogue's error for what a provider told; `details.reason` of a spent quota is `quota`. */
export function providerError(told: Failure | null, context: FailureContext = {}): ApiError {
    const { kinds = [], ...failure } = told ?? {};
    const { status, retryAfter, apiKey } = context;
    const isQuota = status === 402 || kinds.some((kind) => QUOTA.has(kind));
    const code = isQuota ? 'PROVIDER_RATE_LIMITED' : codeOf(kinds, context);
    const words = wordsOf(failure, apiKey);
    const details = detailsOf(status, isQuota ? 'quota' : code === 'PROVIDER_REFUSED' && words);
    return apiError(code, {
        ...(details && { details }),
        ...(retryAfter !== undefined && !isQuota && { retryAfter }),
        cause: causeOf(failure, status, words),
    });
}

const wordsOf = ({ message }: Failure, apiKey: string | undefined): string | null =>
    isText(message) ? withoutKey(message, apiKey).slice(0, MAX_REASON) : null;

/** For the log. */
function causeOf({ requestId }: Failure, status: number | undefined, words: string | null): Error {
    const event = status === undefined ? 'failed' : `answered ${status}`;
    return new Error(`The provider ${event}: ${words}${isText(requestId) ? ` (${requestId})` : ''}`);
}

function detailsOf(status: number | undefined, reason: string | null | false) {
    const details = { ...(status !== undefined && { providerStatus: status }), ...(isText(reason) && { reason }) };
    return Object.keys(details).length > 0 ? details : undefined;
}

function codeOf(kinds: unknown[], { status = 200, apiKey }: FailureContext): ErrorCode {
    const known = kinds.find((kind) => BY_KIND.has(kind));
    const code = BY_KIND.get(known) ?? BY_STATUS[status] ?? 'PROVIDER_ERROR';
    // Where no key was sent the refusal is about our set-up, and no key of a user will mend it.
    return code === 'PROVIDER_KEY_INVALID' && apiKey === undefined ? 'PROVIDER_ERROR' : code;
}

const withoutKey = (words: string, apiKey: string | undefined): string =>
    apiKey === undefined ? words : words.replaceAll(apiKey, '[key]');
