import { isoTime } from '../../src/redis/codec.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A stretch of time over which is summed up: what it is called in the store, and by us. */
export interface Stretch {
    key: string;
    name: string;
}

/** The day of a time, as `yyyy-mm-dd` in UTC. */
export const dayOf = (at: number): string => isoTime(at).slice(0, 10);

/** The month of a time, as `yyyy-mm` in UTC. */
export const monthOf = (at: number): string => isoTime(at).slice(0, 7);

const keyOf = (unit: string, name: string): string => `${unit}:${name.replaceAll('-', '')}`;

export const monthStretch = (month: string): string => keyOf('month', month);

/** The newest hours, oldest first; the one of `at` is the last. */
export const hoursUntil = (at: number, count: number): Stretch[] =>
    timesUntil(at, count, HOUR_MS).map((time) => {
        const hour = isoTime(time).slice(0, 13);
        return { key: keyOf('hour', hour.replace('T', '')), name: `${hour}:00:00.000Z` };
    });

/** The newest days, oldest first; the one of `at` is the last. */
export const daysUntil = (at: number, count: number): Stretch[] =>
    timesUntil(at, count, DAY_MS).map((time) => ({ key: keyOf('day', dayOf(time)), name: dayOf(time) }));

const timesUntil = (at: number, count: number, unit: number): number[] =>
    Array.from({ length: count }, (_, n) => at - (count - 1 - n) * unit);

/** The same time as those days up to today, in as few stretches as there are: months in place of their days. */
export function merged(days: Stretch[]): string[] {
    const months = new Map<string, Stretch[]>();
    for (const day of days) {
        const month = day.name.slice(0, 7);
        months.set(month, [...(months.get(month) ?? []), day]);
    }
    // Of a month whose first day is there, the last one is too, or it is to come.
    return [...months].flatMap(([month, of]) =>
        of[0]?.name.endsWith('-01') ? [monthStretch(month)] : of.map(({ key }) => key),
    );
}

/** The month before, and how many days of the month come after the day of `at`. */
export function monthAround(at: number): { last: string; daysLeft: number } {
    const date = new Date(at);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    return { last: monthOf(Date.UTC(year, month - 1)), daysLeft: days - date.getUTCDate() };
}
