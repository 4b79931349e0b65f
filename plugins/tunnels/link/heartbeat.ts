import type { HeartbeatTimes } from './limits.ts';

/** What goes out: bytes in all, and those of them that still wait. */
export interface Traffic {
    readonly sent: number;
    readonly buffered: number;
}

/**
 * Asks the other end for a sign of life and waits for it. Any message is one: on a slow line the answer may be far
 * behind other frames. While the question itself is still on its way out, what goes out is one too.
 */
export class Heartbeat {
    readonly #times: HeartbeatTimes;
    readonly #traffic: Traffic;
    readonly #ping: () => void;
    readonly #onDead: () => void;
    readonly #interval: NodeJS.Timeout;
    #patience: NodeJS.Timeout | null = null;
    #isHeard = false;
    #isStopped = false;

    constructor(times: HeartbeatTimes, traffic: Traffic, ping: () => void, onDead: () => void) {
        this.#times = times;
        this.#traffic = traffic;
        this.#ping = ping;
        this.#onDead = onDead;
        this.#interval = setInterval(() => this.#beat(), times.everyMs).unref();
    }

    /** A message has come. */
    heard(): void {
        this.#isHeard = true;
    }

    stop(): void {
        this.#isStopped = true;
        clearInterval(this.#interval);
        if (this.#patience) clearTimeout(this.#patience);
    }

    #beat(): void {
        if (this.#patience && !this.#isHeard) return;
        if (this.#patience) clearTimeout(this.#patience);
        this.#isHeard = false;
        this.#ping();
        this.#wait(this.#traffic.sent);
    }

    #wait(endOfPing: number): void {
        const flushed = this.#flushed;
        // What came while this process was busy is read before the peer is judged.
        const onEnd = () => setImmediate(() => this.#judge(endOfPing, flushed));
        this.#patience = setTimeout(onEnd, this.#times.patienceMs).unref();
    }

    #judge(endOfPing: number, flushedBefore: number): void {
        this.#patience = null;
        if (this.#isStopped || this.#isHeard) return;
        const isOnItsWay = this.#traffic.buffered > 0 && this.#flushed < endOfPing;
        if (isOnItsWay && this.#flushed > flushedBefore) this.#wait(endOfPing);
        else this.#onDead();
    }

    get #flushed(): number {
        return this.#traffic.sent - this.#traffic.buffered;
    }
}
