import { isApiError } from '../../src/http/errors.ts';

export const MAX_TRIES = 3;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/** The catalogue code of an error, and what is known of it besides. */
function factsOf(error: unknown): { code: string; status?: unknown; reason?: unknown; retryAfterMs: number } {
    if (!isApiError(error)) return { code: '', retryAfterMs: 0 };
    const { code = '', details } = error.data ?? {};
    const retryAfterMs = Number(error.output.headers['retry-after'] ?? 0) * 1000;
    return { code, status: details?.providerStatus, reason: details?.reason, retryAfterMs };
}

/** Neither a status nor a stream that broke off or was no answer: the network, or 5xx. */
const isServerFault = (status: unknown): boolean => status === undefined || Number(status) >= 500;

/** Whether an error tells that its provider is in trouble, and not the call or the key. */
export function isOutage(error: unknown): boolean {
    const { code, status } = factsOf(error);
    if (code === 'PROVIDER_ERROR') return isServerFault(status);
    return code === 'PROVIDER_OVERLOADED' || code === 'PROVIDER_TIMEOUT';
}

/** Whether the same call to the same model can do better in a moment. */
function isPassing(error: unknown): boolean {
    const { code, reason } = factsOf(error);
    if (code === 'PROVIDER_RATE_LIMITED') return reason !== 'quota';
    return isOutage(error) && code !== 'PROVIDER_TIMEOUT';
}

/** What providers, and the ways to users' own, fail with. */
const FAILURE = /^(PROVIDER|TUNNEL|PROXY)_|^CIRCUIT_OPEN$|^QUOTA_EXCEEDED$/;

/**
 * Whether a call to another model can do better: not where the provider did not like what was said, nor where the one
 * that was asked for is not there.
 *
 * @param isInPlace Of a model in place of that one: there may be others
 */
export function mayFallBack(error: unknown, isInPlace = false): boolean {
    const { code } = factsOf(error);
    if (code === 'MODEL_NOT_FOUND') return isInPlace;
    return FAILURE.test(code) && code !== 'PROVIDER_REFUSED';
}

/**
 * Milliseconds until the next try, with full jitter: anything up to 100 ms, then up to 200 ms, on top of the
 * Retry-After of the provider.
 *
 * @param tries How many there were
 * @param random Gives numbers in [0, 1)
 * @returns Null where another try makes no sense, or the provider wants it later than in 10 s
 */
export function retryDelay(error: unknown, tries: number, random: () => number): number | null {
    if (tries >= MAX_TRIES || !isPassing(error)) return null;
    const { retryAfterMs } = factsOf(error);
    if (retryAfterMs > MAX_DELAY_MS) return null;
    return Math.min(MAX_DELAY_MS, retryAfterMs + random() * FIRST_DELAY_MS * 2 ** (tries - 1));
}
