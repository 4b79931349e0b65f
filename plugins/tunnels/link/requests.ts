import { encodeFrame, HEADER, type Frame } from './frames.ts';
import { checkedRequest, checkedResponse } from './heads.ts';
import { StreamReset } from './link-errors.ts';
import { LinkStream, type StreamHome } from './link-stream.ts';

import type { LinkLimits } from './limits.ts';
import type { LinkAnswer, LinkRequest, RequestHead } from './types.ts';

/** @throws StreamReset with `too_large` or `protocol` for a head that the other end would not take */
export function encodeHead(frame: Extract<Frame, { type: 'request' | 'response' }>, limits: LinkLimits): Buffer {
    const message = encodeFrame(frame);
    if (message.length - HEADER > limits.headerBytes) throw new StreamReset('too_large', false);
    try {
        if (frame.type === 'request') checkedRequest(frame.head);
        else checkedResponse(frame.head);
    } catch (error) {
        throw new StreamReset('protocol', false, { cause: error });
    }
    return message;
}

/** Sends a request; gives its stream at once and the answer when that has begun. */
export function sendRequest(
    home: StreamHome,
    frame: Extract<Frame, { type: 'request' }>,
    body: AsyncIterable<Uint8Array> | null,
    signal: AbortSignal,
): { stream: LinkStream; answer: Promise<LinkAnswer> } {
    const message = encodeHead(frame, home.limits);
    let settle: { resolve: (response: LinkAnswer) => void; reject: (error: Error) => void };
    const answer = new Promise<LinkAnswer>((resolve, reject) => {
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
