const PATIENCE_MS = 1_000;

/** Waits for connections to end, a second at most: of a cluster that is away nobody hears that they have. */
export async function ended(endings: Promise<unknown>[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
        timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([Promise.allSettled(endings), late]);
    clearTimeout(timer);
}
