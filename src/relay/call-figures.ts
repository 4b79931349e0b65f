import { boundOf, bucketOf, percentile, type Bucket } from './histogram.ts';

/** Figures of calls over some days. */
export interface CallFigures {
    requests: number;
    successes: number;
    errors: number;
    /** By what the calls ended with. */
    errorsByKind: Record<string, number>;
    bytesIn: number;
    bytesOut: number;
    /** To the beginning of the answer; null where there was no call. */
    p50Ms: number | null;
    p95Ms: number | null;
    p99Ms: number | null;
}

/** A day's counters: `requests`, `successes`, `bytesIn`, `bytesOut`, `error:<kind>`, `latency:<bucket>`. */
export interface CountedDay {
    /** `yyyymmdd`. */
    date: string;
    counts: Map<string, number>;
}

const DATE = /^(\d{4})(\d\d)(\d\d)$/;
const ERROR = 'error:';
const LATENCY = 'latency:';

/** A call that has ended, as it is counted. */
export interface CountedCall {
    /** `success`, or the kind of its error. */
    outcome: string;
    latencyMs: number;
    bytesIn: number;
    bytesOut: number;
}

/** Adds to counters what is more than nothing; the names of the fields begin with `prefix`. */
export function addTo(counts: Record<string, number>, amounts: Record<string, number>, prefix = ''): void {
    for (const [field, amount] of Object.entries(amounts)) {
        if (amount > 0) counts[prefix + field] = (counts[prefix + field] ?? 0) + amount;
    }
}

/** Adds a call to counters. What was refused at once says nothing of how long an answer takes. */
export function addCall(
    counts: Record<string, number>,
    { outcome, latencyMs, bytesIn, bytesOut }: CountedCall,
    prefix = '',
): void {
    const ended = outcome === 'success' ? 'successes' : ERROR + outcome;
    addTo(counts, { requests: 1, [ended]: 1, bytesIn, bytesOut }, prefix);
    if (outcome !== 'offline') addTo(counts, { [LATENCY + bucketOf(latencyMs)]: 1 }, prefix);
}

/** `yyyymmdd` as `yyyy-mm-dd`. */
export const isoDate = (date: string): string => date.replace(DATE, '$1-$2-$3');

/** The counters of several days, added up. */
export function sumOf(days: CountedDay[]): Map<string, number> {
    const all = new Map<string, number>();
    for (const { counts } of days) {
        for (const [field, amount] of counts) all.set(field, (all.get(field) ?? 0) + amount);
    }
    return all;
}

/** What counters tell. */
export function figuresOf(counts: Map<string, number>): CallFigures {
    const errors = [...counts].filter(([field]) => field.startsWith(ERROR));
    const of = (field: string) => counts.get(field) ?? 0;
    const buckets = bucketsOf(counts);
    return {
        requests: of('requests'),
        successes: of('successes'),
        errors: errors.reduce((sum, [, count]) => sum + count, 0),
        errorsByKind: Object.fromEntries(errors.map(([field, count]) => [field.slice(ERROR.length), count])),
        bytesIn: of('bytesIn'),
        bytesOut: of('bytesOut'),
        p50Ms: percentile(buckets, 0.5),
        p95Ms: percentile(buckets, 0.95),
        p99Ms: percentile(buckets, 0.99),
    };
}

/** The latencies among counters, the shortest first. */
export const bucketsOf = (counts: Map<string, number>): Bucket[] =>
    [...counts]
        .filter(([field]) => field.startsWith(LATENCY))
        .map(([field, count]) => ({ upToMs: boundOf(Number(field.slice(LATENCY.length))), count }))
        .toSorted((one, other) => one.upToMs - other.upToMs);
