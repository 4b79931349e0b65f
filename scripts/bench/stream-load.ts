import { placesOfTokens, TOKEN_BYTES } from './prompts.ts';

import type { Client, Dispatcher } from 'undici';
import type { LoadRequest } from './load.ts';

/** A stream as it came: when it was asked for, its pieces and when each was there, by `performance.now()`. */
export interface HeardStream {
    began: number;
    pieces: Buffer[];
    times: number[];
    /** False where it broke off. */
    isWhole: boolean;
}

/**
 * Reads a stream to its end. It is looked at later, as that takes a processor from what is waited for.
 *
 * @param onBegin Told of its first piece
 */
export function hear(client: Client, request: LoadRequest, onBegin?: () => void): Promise<HeardStream> {
    return new Promise((resolve, reject) => {
        let status = 0;
        const heard: HeardStream = { began: performance.now(), pieces: [], times: [], isWhole: false };
        const handler: Dispatcher.DispatchHandler = {
            // It tells undici which form the handler has.
            onRequestStart: () => undefined,
            onResponseStart: (_controller, statusCode) => {
                status = statusCode;
            },
            onResponseData: (_controller, piece) => {
                if (heard.pieces.length === 0) onBegin?.();
                heard.pieces.push(piece);
                heard.times.push(performance.now());
            },
            onResponseEnd: () => {
                heard.isWhole = true;
                if (status === 200) resolve(heard);
                else reject(new Error(`A wrong answer: ${status} ${Buffer.concat(heard.pieces).toString()}`));
            },
            onResponseError: () => resolve(heard),
        };
        client.dispatch(request, handler);
    });
}

/**
 * When each token was there whole. Throws unless all those that were sent are, each once, in order and nothing between,
 * with the stream's end behind them; of a stream that broke off, those that came.
 */
export function timesOfTokens({ pieces, times, isWhole }: HeardStream, sent: number, end: string): number[] {
    const text = Buffer.concat(pieces).toString('latin1');
    const places = placesOfTokens(text);
    if (isWhole && (places.length !== sent || !text.endsWith(end)))
        throw new Error(`A wrong stream: ${places.length} tokens of ${sent}, then ${text.slice(-200)}`);
    let piece = 0;
    let reached = pieces[0]?.length ?? 0;
    return places.map((place) => {
        while (place + TOKEN_BYTES > reached && piece < pieces.length - 1) reached += pieces[++piece]?.length ?? 0;
        return times[piece] ?? NaN;
    });
}
