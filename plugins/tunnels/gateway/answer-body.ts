import { RelayFailure } from './way.ts';

import type { LinkResponse } from '../link/types.ts';

/** What is done with a body while it is read. */
export interface BodyWatch {
    /** Somebody waits for the next chunk. */
    onWait?: () => void;
    onChunk?: (chunk: Uint8Array) => void;
    /** Once: whole, failed, or given up by its reader (`null`). */
    onEnd?: (error: unknown) => void;
    /** What is thrown in place of a failure. */
    toFailure?: (error: unknown) => unknown;
}

/** The same body under watch. It ends also when its reader leaves before the first chunk, which a generator would miss. */
export function watchBody(body: AsyncIterable<Uint8Array>, watch: BodyWatch): AsyncIterable<Uint8Array> {
    const source = body[Symbol.asyncIterator]();
    let isOver = false;
    const end = (error: unknown) => {
        if (!isOver) watch.onEnd?.(error);
        isOver = true;
    };
    const iterator: AsyncIterator<Uint8Array> = {
        next: async () => {
            watch.onWait?.();
            try {
                const result = await source.next();
                if (result.done) end(undefined);
                else watch.onChunk?.(result.value);
                return result;
            } catch (error) {
                const failure = watch.toFailure?.(error) ?? error;
                end(failure);
                throw failure;
            }
        },
        return: async () => {
            end(null);
            await source.return?.();
            return { done: true, value: undefined };
        },
    };
    return { [Symbol.asyncIterator]: () => iterator };
}

/**
 * The body of an answer, failing where it is not as long as the answer said: what is missing would be taken from the
 * next answer on the connection.
 */
export async function* asLongAsSaid(
    method: string,
    { status, headers, body }: LinkResponse,
): AsyncIterable<Uint8Array> {
    const said = method === 'HEAD' || status === 204 || status === 304 ? undefined : lengthOf(headers);
    let length = 0;
    for await (const chunk of body) {
        length += chunk.length;
        if (said !== undefined && length > said) throw new RelayFailure('protocol');
        yield chunk;
    }
    if (said !== undefined && length < said) throw new RelayFailure('lost');
}

/** Undefined where the answer does not say. @throws RelayFailure when it says two things, or nonsense */
export function lengthOf(headers: LinkResponse['headers']): number | undefined {
    const lengths = headers.filter(([name]) => name === 'content-length').map(([, value]) => value);
    if (lengths.length === 0) return undefined;
    if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0] ?? '')) throw new RelayFailure('protocol');
    return Number(lengths[0]);
}
