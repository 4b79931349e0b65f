import { isoTime } from '../../src/redis/codec.ts';

export type Unit = 'hour' | 'day' | 'month';

/**
 * A stretch of time in UTC: what the store calls it, and how answers name it (`2026-11-20T09`, `2026-11-20`,
 * `2026-11`).
 */
export interface Period {
    key: string;
    /** The part of the key after the unit. */
    date: string;
    name: string;
}

const LENGTH: Record<Unit, number> = { hour: 13, day: 10, month: 7 };
const STEP_MS = { hour: 3_600_000, day: 86_400_000 };

/** The newest periods, oldest first; that of `at` is the last. */
export const periodsUntil = (at: number, unit: Unit, count: number): Period[] =>
    Array.from({ length: count }, (_, n) => periodOf(unit, before(at, unit, count - 1 - n)));

function before(at: number, unit: Unit, count: number): number {
    if (unit !== 'month') return at - count * STEP_MS[unit];
    const date = new Date(at);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - count);
}

function periodOf(unit: Unit, at: number): Period {
    const name = isoTime(at).slice(0, LENGTH[unit]);
    const date = name.replaceAll(/[-T]/g, '');
    return { key: `${unit}:${date}`, date, name };
}
