import type { ProxyStatus } from './api.ts';

const DAY_MS = 86_400_000;

/** What became of a proxy's status, and when in epoch milliseconds. */
export interface StatusChange {
    /** From 1 on. */
    number: number;
    at: number;
    /** `idle`: stopped until the next request, which it does not refuse. */
    to: ProxyStatus | 'idle';
}

const UP = new Set<StatusChange['to']>(['running', 'degraded', 'idle']);

/**
 * The share of the last 24 hours, or of the time since its creation, that a proxy took requests; null before any time
 * has passed.
 *
 * @param changes Those that are kept, the oldest first; where older ones are not, it is the share since the oldest
 */
export function availabilityOf(changes: StatusChange[], createdAt: number, now: number): number | null {
    const [first] = changes;
    const known = first && first.number > 1 ? first.at : createdAt;
    const from = Math.max(now - DAY_MS, known);
    let upMs = 0;
    for (const [index, { at, to }] of changes.entries()) {
        const until = Math.min(changes[index + 1]?.at ?? now, now);
        if (UP.has(to)) upMs += Math.max(0, until - Math.max(at, from));
    }
    return now > from ? upMs / (now - from) : null;
}
