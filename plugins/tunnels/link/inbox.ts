interface Reader {
    resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
    reject: (error: Error) => void;
}

/** More than the chunks of a full window as others send them; so many become one. */
const MAX_CHUNKS = 64;
/** Of the window must have been read before the other side is told. */
const SHARE_TO_RETURN = 0.25;

/** The body that comes in on a stream: kept until it is read, never more than the window. Read once, by one reader. */
export class Inbox implements AsyncIterableIterator<Uint8Array> {
    #chunks: Uint8Array[] = [];
    #readers: Reader[] = [];
    #end: { error: Error | null } | null = null;
    #isDiscarded = false;
    /** How much may still come. */
    #room: number;
    #unreturned = 0;
    readonly #window: number;
    readonly #grant: (bytes: number) => void;
    readonly #onDiscard: () => void;

    /** `grant` lets the other side send so many bytes more; `onDiscard` is called when the reader wants no more. */
    constructor(window: number, grant: (bytes: number) => void, onDiscard: () => void) {
        this.#window = window;
        this.#room = window;
        this.#grant = grant;
        this.#onDiscard = onDiscard;
    }

    get room(): number {
        return this.#room;
    }

    /** False when that is more than the window allows. */
    push(data: Uint8Array): boolean {
        if (data.length > this.#room) return false;
        this.#room -= data.length;
        if (data.length === 0 || this.#end || this.#isDiscarded) return true;
        const reader = this.#readers.shift();
        if (reader) this.#give(data, reader);
        else this.#keep(data);
        return true;
    }

    /** The end of the body; with an error what was not read yet is dropped. */
    finish(error: Error | null): void {
        if (this.#end) return;
        this.#end = { error };
        if (error) this.#chunks = [];
        for (const reader of this.#readers.splice(0)) {
            if (error) reader.reject(error);
            else reader.resolve({ done: true, value: undefined });
        }
    }

    /** Bytes that nobody has read yet. */
    get waiting(): number {
        return this.#chunks.reduce((sum, { length }) => sum + length, 0);
    }

    /** What nobody has read yet, if the other side has ended it; null: it has not, or it failed. */
    takeRest(): Uint8Array | null {
        if (!this.#end || this.#end.error || this.#isDiscarded) return null;
        const [first] = this.#chunks;
        const rest = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
        this.#chunks = [];
        return rest;
    }

    [Symbol.asyncIterator](): this {
        return this;
    }

    next(): Promise<IteratorResult<Uint8Array, undefined>> {
        return new Promise((resolve, reject) => {
            const chunk = this.#chunks.shift();
            if (chunk) this.#give(chunk, { resolve, reject });
            else if (this.#isDiscarded) resolve({ done: true, value: undefined });
            else if (this.#end?.error) reject(this.#end.error);
            else if (this.#end) resolve({ done: true, value: undefined });
            else this.#readers.push({ resolve, reject });
        });
    }

    async return(): Promise<IteratorResult<Uint8Array, undefined>> {
        if (!this.#isDiscarded) {
            this.#isDiscarded = true;
            this.#chunks = [];
            for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
            if (!this.#end) this.#onDiscard();
        }
        return { done: true, value: undefined };
    }

    #give(data: Uint8Array, reader: Reader): void {
        reader.resolve({ done: false, value: data });
        if (this.#end) return;
        this.#unreturned += data.length;
        if (this.#unreturned < this.#window * SHARE_TO_RETURN) return;
        const bytes = this.#unreturned;
        this.#unreturned = 0;
        this.#room += bytes;
        this.#grant(bytes);
    }

    /** A small piece must not keep alive the large buffer that it came in, nor many of them cost more than they carry. */
    #keep(data: Uint8Array): void {
        this.#chunks.push(data.length * 2 < data.buffer.byteLength ? new Uint8Array(data) : data);
        if (this.#chunks.length > MAX_CHUNKS) this.#chunks = [Buffer.concat(this.#chunks)];
    }
}
