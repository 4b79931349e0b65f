/** What the API refused, or that it could not be asked. */
export class ApiFailure extends Error {
    /**
     * @param {{
     *     code: string;
     *     message: string;
     *     statusCode: number;
     *     suggestion?: string;
     *     correlationId?: string;
     *     details?: { fields?: Record<string, string> };
     * }} error
     */
    constructor(error) {
        super(error.message);
        this.name = 'ApiFailure';
        this.code = error.code;
        this.status = error.statusCode;
        this.suggestion = error.suggestion ?? '';
        this.requestId = error.correlationId ?? null;
        this.fields = error.details?.fields ?? {};
    }
}

/** Says `over` when the session has ended and only signing in again will help. */
export const sessionEvents = new EventTarget();

const AGED = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED']);
const OVER = new Set([...AGED, 'SESSION_ENDED']);

/**
 * Asks the API as whoever is signed in: the browser keeps the tokens as cookies out of reach of scripts. An access
 * token that has aged is refreshed, and the request sent again.
 *
 * @param {string} method
 * @param {string} path
 * @param {{
 *     body?: object;
 *     query?: Record<string, unknown>;
 *     headers?: Record<string, string>;
 *     signal?: AbortSignal;
 * }} [options]
 * @returns {Promise<{ data: any; pagination: any; etag: string | null }>}
 * @throws {ApiFailure}
 */
export async function api(method, path, options = {}) {
    try {
        return await send(method, path, options);
    } catch (error) {
        if (!(error instanceof ApiFailure) || !OVER.has(error.code)) throw error;
        if (AGED.has(error.code) && (await refresh())) return send(method, path, options);
        sessionEvents.dispatchEvent(new Event('over'));
        throw error;
    }
}

/** @type {Promise<boolean> | null} */
let refreshing = null;

/** Several requests may find the token too old at once: it is refreshed once for all of them. */
function refresh() {
    refreshing ??= send('POST', '/api/auth/refresh', { body: {} })
        .then(() => true)
        .catch((error) => {
            if (error.status === 0) throw error;
            return false;
        })
        .finally(() => (refreshing = null));
    return refreshing;
}

/**
 * One request, as it is.
 *
 * @param {string} method
 * @param {string} path
 * @param {{
 *     body?: object;
 *     query?: Record<string, unknown>;
 *     headers?: Record<string, string>;
 *     signal?: AbortSignal;
 * }} options
 */
export async function send(method, path, { body, query = {}, headers = {}, signal }) {
    const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
    const search = new URLSearchParams(asked.map(([name, value]) => [name, String(value)]));
    const response = await fetch(search.size > 0 ? `${path}?${search}` : path, {
        method,
        headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
        ...(body && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
    }).catch((error) => {
        if (error.name === 'AbortError') throw error;
        throw new ApiFailure({ code: 'UNREACHABLE', message: 'The server could not be reached.', statusCode: 0 });
    });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return { data: answer.data, pagination: answer.pagination, etag: response.headers.get('etag') };
    throw new ApiFailure(answer.error ?? strange(response));
}

/** What stands between the browser and the API may answer in a form of its own. @param {Response} response */
const strange = ({ status, headers }) => ({
    code: `HTTP_${status}`,
    message: 'The answer was not one of the API.',
    statusCode: status,
    correlationId: headers.get('x-request-id') ?? undefined,
});

/** A key for a request that must be done once, however often it is sent. */
export const newIdempotencyKey = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
