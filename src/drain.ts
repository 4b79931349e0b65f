/**
 * Whether the process is about to stop, and what has to end before it may. First it leaves: whoever sends it requests
 * is told to send them elsewhere, and until they do it takes them all. Then it drains: what is long is refused.
 */
export class Drain {
    #isLeaving = false;
    #isDraining = false;
    readonly #leavers: (() => void)[] = [];
    readonly #waits: ((deadline: AbortSignal) => Promise<void>)[] = [];

    /** Also while it drains. */
    get isLeaving(): boolean {
        return this.#isLeaving;
    }

    get isDraining(): boolean {
        return this.#isDraining;
    }

    /** Registers who is told that the process leaves. */
    onLeave(leave: () => void): void {
        this.#leavers.push(leave);
    }

    /** Registers work that outlives its requests; past the deadline it is asked to end at once. */
    onDrain(wait: (deadline: AbortSignal) => Promise<void>): void {
        this.#waits.push(wait);
    }

    leave(): void {
        this.#isLeaving = true;
        for (const leave of this.#leavers) leave();
    }

    begin(): void {
        this.#isLeaving = true;
        this.#isDraining = true;
    }

    async finish(deadline: AbortSignal): Promise<void> {
        await Promise.all(this.#waits.map((wait) => wait(deadline)));
    }
}
