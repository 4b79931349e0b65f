import { newId } from '../../src/ids.ts';

import type { Lease } from './backup-store.ts';

/** Longer than a process takes to say so again, shorter than anybody waits for one that has died. */
export const LEASE_MS = 12_000;
const RENEW_MS = 4_000;

export const newLease = (): Lease => ({ holder: newId('lease'), milliseconds: LEASE_MS });

/** Another process works on it, or this one was silent for so long that another may. */
export class LeaseLost extends Error {
    constructor() {
        super('Another process works on it');
    }
}

/** A lease that is kept as long as the work goes on. */
export interface KeptLease {
    /** @throws LeaseLost */
    check(): void;
    stop(): void;
}

/**
 * Renews a lease again and again; what fails for once is not lost, what is refused is, and what was not renewed in
 * time.
 *
 * @param time Milliseconds on a clock that is never turned; another one in tests
 */
export function keepLease(
    renew: () => Promise<'held' | object | null>,
    time: () => number = () => performance.now(),
): KeptLease {
    let isLost = false;
    let goodUntil = time() + LEASE_MS;
    const timer = setInterval(() => {
        const asked = time();
        renew().then(
            (held) => {
                isLost ||= held === 'held' || held === null;
                goodUntil = asked + LEASE_MS;
            },
            () => undefined,
        );
    }, RENEW_MS);
    timer.unref();
    return {
        check() {
            if (isLost || time() > goodUntil) throw new LeaseLost();
        },
        stop: () => clearInterval(timer),
    };
}
