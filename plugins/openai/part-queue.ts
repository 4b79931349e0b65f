import type { StreamPart } from '../models/api.ts';

/** Parts on their way to one reader, who takes all that are there and holds nobody up. */
export class PartQueue {
    #parts: StreamPart[] = [];
    #isEnded = false;
    #failure: unknown = null;
    #wake: () => void = () => undefined;

    push(batch: StreamPart[]): void {
        this.#parts = this.#parts.length === 0 ? batch : [...this.#parts, ...batch];
        this.#wake();
    }

    /** @param failure What the reader's iteration is to fail with, after the parts that are there */
    end(failure: unknown = null): void {
        this.#isEnded = true;
        this.#failure = failure;
        this.#wake();
    }

    async *batches(): AsyncGenerator<StreamPart[]> {
        for (;;) {
            if (this.#parts.length === 0 && !this.#isEnded) {
                await new Promise<void>((resolve) => (this.#wake = resolve));
            }
            const batch = this.#parts;
            this.#parts = [];
            if (batch.length > 0) yield batch;
            else if (this.#isEnded) break;
        }
        if (this.#failure !== null) throw this.#failure;
    }
}
