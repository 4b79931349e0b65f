import { apiError, type ApiError, type ErrorCode } from '../../../src/http/errors.ts';

import type { Dispatcher } from 'undici';

const MAX_ERROR_BODY = 16_384;
const MAX_REASON = 300;

const BY_STATUS: Record<number, ErrorCode> = {
    400: 'PROVIDER_REFUSED',
    401: 'PROVIDER_KEY_INVALID',
    403: 'PROVIDER_KEY_INVALID',
    404: 'PROVIDER_REFUSED',
    413: 'PROVIDER_REFUSED',
    422: 'PROVIDER_REFUSED',
    429: 'PROVIDER_RATE_LIMITED',
    503: 'PROVIDER_OVERLOADED',
    529: 'PROVIDER_OVERLOADED',
};

export interface ProviderRequest {
    url: string;
    headers?: Record<string, string>;
    body: object;
    signal: AbortSignal;
}

/**
 * Posts JSON and gives the body of a 2xx as it comes in; ending the iteration early closes the connection.
 *
 * @param reasonOf Finds the provider's own words in the body of a refusal
 * @throws The PROVIDER_… error that the status stands for
 */
export async function postForStream(
    dispatcher: Dispatcher,
    { url, headers, body, signal }: ProviderRequest,
    reasonOf: (body: unknown) => unknown,
): Promise<AsyncIterable<Buffer>> {
    const { origin, pathname, search } = new URL(url);
    const response = await dispatcher.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-encoding': 'identity', ...headers },
        body: JSON.stringify(body),
        signal,
    });
    // The client may go away while nobody reads: the failure is then known from the signal already.
    response.body.on('error', () => undefined);
    if (response.statusCode < 300) return response.body;
    throw refusal(response.statusCode, retryAfter(response.headers), await reason(response.body, reasonOf));
}

function refusal(status: number, retryAfterS: number | undefined, reason: string | null): ApiError {
    const code = BY_STATUS[status] ?? 'PROVIDER_ERROR';
    return apiError(code, {
        details: { providerStatus: status, ...(code === 'PROVIDER_REFUSED' && reason !== null && { reason }) },
        ...(retryAfterS !== undefined && { retryAfter: retryAfterS }),
        cause: new Error(`The provider answered ${status}: ${reason}`),
    });
}

function retryAfter(headers: Record<string, string | string[] | undefined>): number | undefined {
    const seconds = Number(headers['retry-after']);
    return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

async function reason(body: AsyncIterable<Buffer>, reasonOf: (body: unknown) => unknown): Promise<string | null> {
    let text = '';
    for await (const chunk of body) {
        text += chunk.toString('utf8');
        if (text.length > MAX_ERROR_BODY) break;
    }
    try {
        const found = reasonOf(JSON.parse(text));
        return typeof found === 'string' ? found.slice(0, MAX_REASON) : null;
    } catch {
        // Not every refusal is JSON: a proxy in between answers in HTML.
        return null;
    }
}
