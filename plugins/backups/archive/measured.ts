import { createHash } from 'node:crypto';

/** A file on its way, with its size and SHA-256 as far as it has been taken. */
export class Measured {
    bytes = 0;
    readonly body: AsyncGenerator<Buffer>;
    readonly #hash = createHash('sha256');

    constructor(source: AsyncIterable<Buffer>) {
        this.body = this.#measure(source);
    }

    sha256(): string {
        return this.#hash.copy().digest('hex');
    }

    async *#measure(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const piece of source) {
            this.bytes += piece.length;
            this.#hash.update(piece);
            yield piece;
        }
    }
}
