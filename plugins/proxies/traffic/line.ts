import { leaseOn, type Entry, type Given } from './capacity-store.ts';
import { apiError } from '../../../src/http/errors.ts';

const RETRY_AFTER_S = 5;

export interface LineParts {
    /** Asks to enter for somebody in line, and keeps the places of those others. */
    enter: (lease: string, keep: string[]) => Promise<Entry>;
    giveBack: (given: Given) => void;
    /** Looks the proxy up again. @throws What everybody in line is then told */
    refresh: () => Promise<void>;
    /** The line may go. */
    onEmpty: () => void;
    waitMs: number;
    pollMs: number;
}

interface Waiter {
    lease: string;
    since: number;
    enter: (order: string[]) => void;
    refuse: (error: unknown) => void;
}

/** The error of who has waited so long for room, or finds no place in line. */
export const busy = (waitedMs: number) => apiError('PROXY_BUSY', { details: { waitedMs }, retryAfter: RETRY_AFTER_S });

/** Everybody of this process who waits for room in one proxy, in the order of coming. */
export class Line {
    readonly #parts: LineParts;
    readonly #waiters: Waiter[] = [];
    readonly #poll: NodeJS.Timeout;
    #isTrying = false;
    #isWoken = false;
    #isKeepDue = false;

    constructor(parts: LineParts) {
        this.#parts = parts;
        this.#poll = setInterval(() => void this.#refresh(), parts.pollMs).unref();
    }

    /**
     * Waits for who has a place in line.
     *
     * @returns The members in the order that they are to be tried in
     * @throws PROXY_BUSY when it takes too long, or `gone` is aborted
     */
    wait(lease: string, since: number, gone: AbortSignal): Promise<string[]> {
        return new Promise((resolve, reject) => {
            const settle = () => {
                clearTimeout(timer);
                gone.removeEventListener('abort', giveUp);
            };
            const waiter: Waiter = {
                lease,
                since,
                enter: (order) => {
                    settle();
                    resolve(order);
                },
                refuse: (error) => {
                    settle();
                    reject(error);
                },
            };
            const giveUp = () => {
                this.#remove(waiter);
                this.#parts.giveBack({ places: [lease] });
                waiter.refuse(busy(Date.now() - since));
            };
            const timer = setTimeout(giveUp, this.#parts.waitMs);
            gone.addEventListener('abort', giveUp, { once: true });
            this.#waiters.push(waiter);
            if (gone.aborted) giveUp();
            // There may be room since it was asked for.
            else void this.#try();
        });
    }

    /** There may be room for that one. */
    wake(lease: string): void {
        if (this.#waiters.some((waiter) => waiter.lease === lease)) void this.#try();
    }

    /** Nobody waits any longer. */
    end(error: unknown): void {
        const waiters = [...this.#waiters];
        for (const waiter of waiters) {
            this.#remove(waiter);
            waiter.refuse(error);
        }
        if (waiters.length > 0) this.#parts.giveBack({ places: waiters.map(({ lease }) => lease) });
    }

    /** A safety net where a signal was lost; also the proxy may have changed, and places have to be kept. */
    async #refresh(): Promise<void> {
        this.#isKeepDue = true;
        try {
            await this.#parts.refresh();
        } catch (error) {
            return this.end(error);
        }
        await this.#try();
    }

    /** One at a time asks, for the first in line. */
    async #try(): Promise<void> {
        this.#isWoken = true;
        if (this.#isTrying) return;
        this.#isTrying = true;
        try {
            while (this.#isWoken) {
                this.#isWoken = false;
                await this.#letIn();
            }
        } catch (error) {
            this.end(error);
        } finally {
            this.#isTrying = false;
        }
    }

    async #letIn(): Promise<void> {
        for (let [first] = this.#waiters; first; [first] = this.#waiters) {
            const keep = this.#isKeepDue ? this.#waiters.map(({ lease }) => lease) : [];
            this.#isKeepDue = false;
            const entry = await this.#parts.enter(first.lease, keep);
            if (entry === 'waiting') return;
            const isThere = this.#remove(first);
            // The place was lost, as nobody kept it in time.
            if (entry === 'refused') first.refuse(busy(Date.now() - first.since));
            else if (isThere) first.enter(entry);
            else this.#parts.giveBack({ leases: [leaseOn(entry[0] ?? '', first.lease)] });
        }
    }

    #remove(waiter: Waiter): boolean {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        if (this.#waiters.length === 0) {
            clearInterval(this.#poll);
            this.#parts.onEmpty();
        }
        return at >= 0;
    }
}
