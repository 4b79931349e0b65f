/** Thrown by a processor: the same job comes again after that time, and this was no attempt of it. */
export class PutOff extends Error {
    readonly delayMs: number;

    constructor(delayMs: number) {
        super(`Put off for ${delayMs} ms`);
        this.delayMs = delayMs;
    }
}
