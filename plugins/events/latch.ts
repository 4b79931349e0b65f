/** Wakes the one who waits; a ring that nobody waits for is kept for the next who does. */
export class Latch {
    #wake: (() => void) | null = null;
    #isRung = false;

    ring(): void {
        this.#isRung = true;
        this.#wake?.();
    }

    async next(): Promise<void> {
        if (!this.#isRung) await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = null;
        this.#isRung = false;
    }
}
