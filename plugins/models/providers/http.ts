import { providerError, type Failure } from './failure.ts';
import { readText, type Transport, type TransportAnswer } from './transport.ts';
import { parseObject } from './wire.ts';

const MAX_ERROR_BODY = 16_384;
const MAX_RETRY_AFTER_S = 86_400;

/** Finds the failure that a body or a piece of an answer tells of; null when it is none. */
export type FailureReader = (body: object) => Failure | null;

export interface ProviderRequest {
    /** After the provider's base URL. */
    path: string;
    headers?: Record<string, string>;
    /** The one that the headers have. */
    apiKey: string | undefined;
    body: object;
    signal: AbortSignal;
    /** As of `TransportRequest`. */
    isUnhurried?: boolean | undefined;
}

/**
 * Posts JSON and gives the body of a 2xx as it comes in; ending the iteration early ends the call.
 *
 * @throws The PROVIDER_… error that the status and the body of a refusal stand for
 */
export async function postForStream(
    send: Transport,
    { path, headers, apiKey, body, ...rest }: ProviderRequest,
    failureOf: FailureReader,
): Promise<AsyncIterable<Uint8Array>> {
    const answer = await send({
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-encoding': 'identity', ...headers },
        body: JSON.stringify(body),
        ...rest,
    });
    const { status, headers: answered } = answer;
    if (status < 300) return answer.body;
    const requestId = answered['request-id'] ?? answered['x-request-id'];
    const failure = { requestId, ...(await refusal(answer.body, failureOf)) };
    throw providerError(failure, { status, apiKey, retryAfter: retryAfter(answered) });
}

/** Seconds from a Retry-After of seconds or of a date, which is read by the clock of its sender (RFC 9110, 10.2.3). */
function retryAfter({ 'retry-after': value, date }: TransportAnswer['headers']): number | undefined {
    if (typeof value !== 'string') return undefined;
    const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - Date.parse(String(date))) / 1000;
    return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S);
}

async function refusal(body: TransportAnswer['body'], failureOf: FailureReader): Promise<Failure | null> {
    try {
        return failureOf(parseObject(await readText(body, MAX_ERROR_BODY)));
    } catch {
        // The status says enough: not every refusal is JSON (a proxy in between answers in HTML), nor comes whole.
        return null;
    }
}
