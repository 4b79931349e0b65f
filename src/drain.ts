/** Whether the process is about to stop, and what has to end before it may. */
export class Drain {
    #isDraining = false;
    readonly #waits: ((deadline: AbortSignal) => Promise<void>)[] = [];

    get isDraining(): boolean {
        return this.#isDraining;
    }

    /** Registers work that outlives its requests; past the deadline it is asked to end at once. */
    onDrain(wait: (deadline: AbortSignal) => Promise<void>): void {
        this.#waits.push(wait);
    }

    begin(): void {
        this.#isDraining = true;
    }

    async finish(deadline: AbortSignal): Promise<void> {
        await Promise.all(this.#waits.map((wait) => wait(deadline)));
    }
}
