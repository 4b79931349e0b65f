import { apiError } from '../../../src/http/errors.ts';
import { watchBody } from '../../../src/relay/watch-body.ts';

import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';

export interface Try {
    relay: (request: RelayRequest) => Promise<RelayAnswer>;
    /** Until the answer begins; it starts again with each piece of the request. */
    timeoutMs: number;
    onUpload: (bytes: number) => void;
}

/**
 * Sends a request to one member, within that time.
 *
 * @throws TUNNEL_TIMEOUT, and what `relay` throws
 */
export async function tryMember(
    { head, body, gone }: RelayRequest,
    { relay, timeoutMs, onUpload }: Try,
): Promise<RelayAnswer> {
    const given = new AbortController();
    const leave = () => given.abort();
    gone.addEventListener('abort', leave, { once: true });
    if (gone.aborted) leave();
    let isLate = false;
    let hasBegun = false;
    const timer = setTimeout(() => {
        isLate = true;
        given.abort();
    }, timeoutMs);
    const onChunk = ({ length }: Uint8Array) => {
        onUpload(length);
        if (!hasBegun) timer.refresh();
    };
    try {
        return await relay({ head, body: body && watchBody(body, { onChunk }), gone: given.signal });
    } catch (error) {
        gone.removeEventListener('abort', leave);
        throw isLate ? apiError('TUNNEL_TIMEOUT', { cause: error }) : error;
    } finally {
        hasBegun = true;
        clearTimeout(timer);
    }
}
