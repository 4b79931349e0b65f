import { CLOSE_CODES } from './close-codes.ts';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
import { StreamReset } from './link-errors.ts';
import { LinkStream, type StreamHome } from './link-stream.ts';
import { ProtocolError } from './protocol-error.ts';

import type { LinkLimits } from './limits.ts';
import type { LinkRequest, RelayAnswer, RequestHead } from './types.ts';

/** @throws StreamReset with `too_large` or `protocol` for a head that the other end would not take */
export function encodeHead(frame: Extract<Frame, { type: 'request' | 'response' }>, limits: LinkLimits): Buffer {
    const message = encodeFrame(frame);
    try {
        decodeFrame(message, limits);
        return message;
    } catch (error) {
        const isTooLarge = error instanceof ProtocolError && error.closeCode === CLOSE_CODES.tooLarge;
        throw new StreamReset(isTooLarge ? 'too_large' : 'protocol', false, { cause: error });
    }
}

/** Sends a request; gives its stream at once and the answer when that has begun. */
export function sendRequest(
    home: StreamHome,
    frame: Extract<Frame, { type: 'request' }>,
    body: AsyncIterable<Uint8Array> | null,
    signal: AbortSignal,
): { stream: LinkStream; answer: Promise<RelayAnswer> } {
    const message = encodeHead(frame, home.limits);
    let settle: { resolve: (response: RelayAnswer) => void; reject: (error: Error) => void };
    const answer = new Promise<RelayAnswer>((resolve, reject) => {
        settle = { resolve, reject };
    });
    const stream = new LinkStream(frame.stream, home, {
        onResponse: (head) => settle.resolve({ ...head, body: stream.inbox }),
        onOver: (error) => {
            signal.removeEventListener('abort', onAbort);
            if (error) settle.reject(error);
        },
    });
    const onAbort = () => stream.reset('cancelled');
    signal.addEventListener('abort', onAbort, { once: true });
    const send = async () => {
        await stream.sendHead(message);
        if (body) await stream.sendBody(body, 'cancelled');
        else stream.endLocal();
    };
    // What it fails of ends the stream, and the answer with it.
    send().catch(() => {});
    return { stream, answer };
}

/** A request that has come, and its stream. */
export function receiveRequest(home: StreamHome, id: number, head: RequestHead): [LinkStream, LinkRequest] {
    const gone = new AbortController();
    const stream = new LinkStream(id, home, {
        onOver: (error) => error && !stream.isLocalEnded && gone.abort(error),
    });
    let isAnswered = false;
    const request: LinkRequest = {
        ...head,
        body: stream.inbox,
        gone: gone.signal,
        async respond(response, body) {
            if (isAnswered) throw new Error('A request is answered once');
            isAnswered = true;
            try {
                await stream.sendHead(encodeHead({ type: 'response', stream: id, head: response }, home.limits));
            } catch (error) {
                stream.reset(error instanceof StreamReset && error.code === 'too_large' ? 'too_large' : 'internal');
                throw error;
            }
            await stream.sendBody(body, 'internal');
        },
        fail: (code) => stream.reset(code),
    };
    return [stream, request];
}
