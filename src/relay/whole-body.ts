/** A body that is all there: whoever answers with it has nothing to wait for. */
export class WholeBody implements AsyncIterable<Uint8Array> {
    readonly bytes: Uint8Array;

    constructor(bytes: Uint8Array) {
        this.bytes = bytes;
    }

    async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
        yield this.bytes;
    }
}
