import { forTarget } from './headers.ts';

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Headers, RequestHead } from './types.ts';

const CHUNKED: Headers = [['transfer-encoding', 'chunked']];

/** What of a request that came over HTTP goes on: its head without what is not the target's, and its body if it has one. */
export function readRequest(
    request: IncomingMessage,
    path: string,
): { head: RequestHead; body: AsyncIterable<Uint8Array> | null } {
    const { headers, method = 'GET' } = request;
    const isChunked = headers['transfer-encoding'] !== undefined;
    const hasBody = isChunked || (headers['content-length'] ?? '0') !== '0';
    // The other end has to know of a body whose length nobody knows.
    const kept = forTarget(pairsOf(headers));
    return {
        head: { method, path, headers: isChunked ? [...kept, ...CHUNKED] : kept },
        body: hasBody ? request : null,
    };
}

const pairsOf = (headers: IncomingHttpHeaders): Headers =>
    Object.entries(headers).flatMap(([name, value = []]) =>
        [value].flat().map((each): Headers[number] => [name, each]),
    );
