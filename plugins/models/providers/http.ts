import { parseObject } from './wire.ts';
import { apiError, type ApiError, type ErrorCode } from '../../../src/http/errors.ts';

import type { Dispatcher } from 'undici';

const MAX_ERROR_BODY = 16_384;
const MAX_REASON = 300;
const MAX_RETRY_AFTER_S = 86_400;

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

type Response = Dispatcher.ResponseData;

export interface ProviderRequest {
    url: string;
    headers?: Record<string, string>;
    body: object;
    signal: AbortSignal;
}

/**
 * Posts JSON and gives the body of a 2xx as it comes in; ending the iteration early closes the connection.
 *
 * @param reasonOf Finds the provider's own words in the body of a refusal; they may reach the client and the log
 * @throws The PROVIDER_… error that the status stands for
 */
export async function postForStream(
    dispatcher: Dispatcher,
    { url, headers, body, signal }: ProviderRequest,
    reasonOf: (body: object) => unknown,
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
    const code = codeOf(response.statusCode, headers?.authorization !== undefined);
    throw refusal(code, response, await reason(response.body, reasonOf));
}

function codeOf(status: number, hasKey: boolean): ErrorCode {
    const code = BY_STATUS[status] ?? 'PROVIDER_ERROR';
    // Where no key was sent the refusal is about our set-up, and no key of a user will mend it.
    return code === 'PROVIDER_KEY_INVALID' && !hasKey ? 'PROVIDER_ERROR' : code;
}

function refusal(code: ErrorCode, { statusCode: status, headers }: Response, reason: string | null): ApiError {
    const retryAfterS = retryAfter(headers);
    return apiError(code, {
        details: { providerStatus: status, ...(code === 'PROVIDER_REFUSED' && reason !== null && { reason }) },
        ...(retryAfterS !== undefined && { retryAfter: retryAfterS }),
        cause: new Error(`The provider answered ${status}: ${reason}`),
    });
}

/** Seconds from a Retry-After of seconds or of a date, which is read by the clock of its sender (RFC 9110, 10.2.3). */
function retryAfter({ 'retry-after': value, date }: Response['headers']): number | undefined {
    if (typeof value !== 'string') return undefined;
    const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - Date.parse(String(date))) / 1000;
    return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S);
}

async function reason(body: Response['body'], reasonOf: (body: object) => unknown): Promise<string | null> {
    try {
        const decoder = new TextDecoder();
        let text = '';
        for await (const chunk of body as AsyncIterable<Buffer>) {
            text += decoder.decode(chunk, { stream: true });
            if (text.length > MAX_ERROR_BODY) break;
        }
        const found = reasonOf(parseObject(text));
        return typeof found === 'string' ? found.slice(0, MAX_REASON) : null;
    } catch {
        // The status says enough: not every refusal is JSON (a proxy in between answers in HTML), nor comes whole.
        return null;
    }
}
