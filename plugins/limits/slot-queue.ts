import { setTimeout as sleep } from 'node:timers/promises';

/** How many of a user's calls may wait in one process. */
const MOST_WAITING = 10;
/** From one look to the next; it grows to the second. */
const DISTANCE_MS = { first: 20, longest: 100, growth: 1.5 };

/** What a try to get a slot said; `limit` is how many there are. */
export interface SlotTry {
    isTaken: boolean;
    limit: number;
}

export interface SlotWait {
    /** @param isLast Whether it is refused for good if it fails now */
    attempt: (isLast: boolean) => Promise<SlotTry>;
    /** Throws when there is no use in waiting any more. */
    check: () => void;
}

/**
 * The calls that wait a short time for a slot, a line for each user. The first one looks for a slot that was given
 * back, by whichever process; the others only at the end of their time.
 */
export class SlotQueue {
    readonly #lines = new Map<string, object[]>();
    readonly #longestMs: number;

    /** @param longestMs 0: nobody waits */
    constructor(longestMs: number) {
        this.#longestMs = longestMs;
    }

    /** The last try: the one that got a slot, or the one that it was refused by. */
    async take(user: string, { attempt, check }: SlotWait): Promise<SlotTry> {
        const line = this.#lines.get(user) ?? [];
        if (this.#longestMs === 0 || line.length >= MOST_WAITING) return attempt(true);

        const own = {};
        const until = performance.now() + this.#longestMs;
        this.#lines.set(user, line);
        line.push(own);
        try {
            for (let tries = 0; ; tries++) {
                const isLast = performance.now() >= until;
                if (isLast || line[0] === own) {
                    const { isTaken, limit } = await attempt(isLast);
                    if (isTaken || isLast || limit === 0) return { isTaken, limit };
                }
                await sleep(Math.min(distance(tries), Math.max(0, until - performance.now())));
                check();
            }
        } finally {
            line.splice(line.indexOf(own), 1);
            if (line.length === 0) this.#lines.delete(user);
        }
    }
}

/** With jitter, so that several processes do not look at the same time. */
function distance(tries: number): number {
    const { first, longest, growth } = DISTANCE_MS;
    return Math.min(longest, first * growth ** tries) * (0.5 + Math.random() / 2);
}
