/**
 * Aborts a controller as soon as a signal is aborted, for the same reason. What `AbortSignal.any` gives costs several
 * times as much, and these are made for every call.
 *
 * @returns Ends that
 */
export function followAbort(controller: AbortController, signal: AbortSignal): () => void {
    const abort = () => controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
}
