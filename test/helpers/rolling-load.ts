import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { Agent, fetch, type RequestInit, type Response } from 'undici';

/** One who does the same thing again and again, over one connection as long as that holds. */
export interface Walker {
    fetch: (url: string, init?: RequestInit) => Promise<Response>;
    /** Whether it is to end, now that it is asked. */
    isOver: () => boolean;
}

/** Of the event loop: the end of a connection passes through the pool. */
const TURNS = 5;

/** Many at the same time, each at its own pace, until they are told to stop. */
export class RollingLoad {
    /** How often each thing was done. */
    readonly done = new Map<string, number>();
    /** What went wrong. */
    readonly failures: string[] = [];
    readonly #walks: Promise<void>[] = [];
    #isOver = false;

    /** @param pauseMs Between the end of one time and the beginning of the next */
    start(name: string, pauseMs: number, step: (walker: Walker, time: number) => Promise<void>): void {
        this.done.set(name, 0);
        this.#walks.push(this.#walk(name, pauseMs, step));
    }

    /** Until that is so, however slow the machine is, or something went wrong. */
    async until(isSo: () => boolean): Promise<void> {
        while (!isSo() && this.failures.length === 0) await sleep(50);
    }

    /** When all have done what they were at. */
    async stop(): Promise<void> {
        this.#isOver = true;
        await Promise.all(this.#walks);
    }

    async #walk(name: string, pauseMs: number, step: (walker: Walker, time: number) => Promise<void>): Promise<void> {
        // The time limits are the test's.
        const dispatcher = new Agent({ connections: 1, headersTimeout: 0, bodyTimeout: 0 });
        const walker: Walker = {
            fetch: (url, init) => fetch(url, { ...init, dispatcher }),
            isOver: () => this.#isOver,
        };
        for (let time = 0; !this.#isOver; time++) {
            try {
                await step(walker, time);
                this.done.set(name, time + 1);
            } catch (error) {
                this.failures.push(`${new Date().toISOString()} ${name}: ${reasonOf(error)}`);
            }
            await sleep(pauseMs);
            // On a busy machine a connection may have ended meanwhile, here or at the pool, and nobody has looked at it.
            for (let turns = 0; turns < TURNS; turns++) await turn();
        }
        await dispatcher.close();
    }
}

/** With what lies below it. */
function reasonOf(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    return error.cause === undefined ? error.message : `${error.message} (${reasonOf(error.cause)})`;
}
