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
