/** Takes a stream of pieces by so many bytes. */
export class ByteReader {
    readonly #pieces: AsyncIterator<Buffer>;
    #held: Buffer[] = [];
    #length = 0;
    #hasEnded = false;

    constructor(source: AsyncIterable<Buffer>) {
        this.#pieces = source[Symbol.asyncIterator]();
    }

    /** So many bytes, or what there is before the end. */
    async take(bytes: number): Promise<Buffer> {
        await this.#fill(bytes);
        const all = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
        const rest = all.subarray(bytes);
        this.#held = rest.length === 0 ? [] : [rest];
        this.#length = rest.length;
        return all.subarray(0, bytes);
    }

    async isAtEnd(): Promise<boolean> {
        await this.#fill(1);
        return this.#length === 0;
    }

    /** Ends the source, which may hold a file open. */
    async close(): Promise<void> {
        await this.#pieces.return?.();
    }

    async #fill(bytes: number): Promise<void> {
        while (this.#length < bytes && !this.#hasEnded) {
            const next = await this.#pieces.next();
            if (next.done === true) this.#hasEnded = true;
            else {
                this.#held.push(next.value);
                this.#length += next.value.length;
            }
        }
    }
}

/** The same bytes in pieces of that size; only the last is shorter. There is one at least, empty if nothing else. */
export async function* inPieces(
    reader: ByteReader,
    size: number,
): AsyncGenerator<{ piece: Buffer; isLast: boolean }, void, void> {
    try {
        for (let isLast = false; !isLast;) {
            const piece = await reader.take(size);
            isLast = await reader.isAtEnd();
            yield { piece, isLast };
        }
    } finally {
        await reader.close();
    }
}
