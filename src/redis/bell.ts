/** Wakes the one who waits for the next ring. */
export class Bell {
    #ring: () => void = () => undefined;

    ring(): void {
        this.#ring();
    }

    /** Resolves at the first ring from now on, or after that time. */
    next(milliseconds: number): Promise<void> {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, milliseconds).unref();
            this.#ring = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }
}
