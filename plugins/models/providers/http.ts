import { providerError, type Failure } from './failure.ts';
import { parseObject } from './wire.ts';

import type { Dispatcher } from 'undici';

const MAX_ERROR_BODY = 16_384;
const MAX_RETRY_AFTER_S = 86_400;

type Response = Dispatcher.ResponseData;

/** Finds the failure that a body or a piece of an answer tells of; null when it is none. */
export type FailureReader = (body: object) => Failure | null;

export interface ProviderRequest {
    url: string;
    headers?: Record<string, string>;
    /** The one that the headers have. */
    apiKey: string | undefined;
    body: object;
    signal: AbortSignal;
}

/**
 * Posts JSON and gives the body of a 2xx as it comes in; ending the iteration early closes the connection.
 *
 * @throws The PROVIDER_… error that the status and the body of a refusal stand for
 */
export async function postForStream(
    dispatcher: Dispatcher,
    { url, headers, apiKey, body, signal }: ProviderRequest,
    failureOf: FailureReader,
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
    const { statusCode: status, headers: answered } = response;
    const requestId = answered['request-id'] ?? answered['x-request-id'];
    const failure = { requestId, ...(await refusal(response.body, failureOf)) };
    throw providerError(failure, { status, apiKey, retryAfter: retryAfter(answered) });
}

/** Seconds from a Retry-After of seconds or of a date, which is read by the clock of its sender (RFC 9110, 10.2.3). */
function retryAfter({ 'retry-after': value, date }: Response['headers']): number | undefined {
    if (typeof value !== 'string') return undefined;
    const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - Date.parse(String(date))) / 1000;
    return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S);
}

async function refusal(body: Response['body'], failureOf: FailureReader): Promise<Failure | null> {
    try {
        const decoder = new TextDecoder();
        let text = '';
        for await (const chunk of body as AsyncIterable<Buffer>) {
            text += decoder.decode(chunk, { stream: true });
            if (text.length > MAX_ERROR_BODY) break;
        }
        return failureOf(parseObject(text));
    } catch {
        // The status says enough: not every refusal is JSON (a proxy in between answers in HTML), nor comes whole.
        return null;
    }
}
