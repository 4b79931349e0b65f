import { SendFailure } from './send-failure.ts';

/** How long the steps of an attempt may take, in milliseconds. */
export interface Timeouts {
    resolveMs: number;
    /** Of the connection with its TLS handshake. */
    connectMs: number;
    /** From the request to the end of the answer's headers. */
    headersMs: number;
    /** Between two pieces of the answer's body. */
    bodyMs: number;
    totalMs: number;
}

export const TIMEOUTS: Timeouts = {
    resolveMs: 3_000,
    connectMs: 5_000,
    headersMs: 10_000,
    bodyMs: 3_000,
    totalMs: 15_000,
};

/** A signal that ends what takes too long, by the failure `timeout`, or what an outer one ends, by its reason. */
export interface Deadline {
    signal: AbortSignal;
    /** To be called when what it is for has ended: no timer and no listener is left then. */
    release: () => void;
}

export function deadline(milliseconds: number, outer?: AbortSignal): Deadline {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new SendFailure('timeout')), milliseconds);
    const follow = (): void => controller.abort(outer?.reason);
    if (outer?.aborted) follow();
    outer?.addEventListener('abort', follow);
    return {
        signal: controller.signal,
        release: () => {
            clearTimeout(timer);
            outer?.removeEventListener('abort', follow);
        },
    };
}
