/** A body that knows whether anything was taken from it: then it cannot be sent elsewhere any more. */
export class OnceBody implements AsyncIterable<Uint8Array> {
    readonly #take: () => AsyncIterator<Uint8Array>;
    #isTouched = false;

    constructor(source: AsyncIterable<Uint8Array>) {
        this.#take = () => source[Symbol.asyncIterator]();
    }

    get isTouched(): boolean {
        return this.#isTouched;
    }

    async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
        this.#isTouched = true;
        yield* { [Symbol.asyncIterator]: this.#take };
    }
}
