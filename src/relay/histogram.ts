/** Each bound of the histogram is a quarter more than the one before: so much a percentile may be too high. */
const GROWTH = 1.25;
const MOST_BUCKETS = 80;

/** How many calls took as long as that at most, in milliseconds, and longer than the bound before. */
export interface Bucket {
    upToMs: number;
    count: number;
}

/** The number of the bucket that a latency falls in. */
export const bucketOf = (latencyMs: number): number =>
    Math.min(Math.ceil(Math.log(Math.max(latencyMs, 1)) / Math.log(GROWTH)), MOST_BUCKETS);

/** The bound of the bucket with that number. */
export const boundOf = (bucket: number): number => Math.ceil(GROWTH ** bucket);

/** The bound that a share of the calls is within; null when there are none. */
export function percentile(buckets: Bucket[], share: number): number | null {
    const total = buckets.reduce((sum, { count }) => sum + count, 0);
    let seen = 0;
    for (const { upToMs, count } of buckets) {
        seen += count;
        if (seen >= total * share) return upToMs;
    }
    return null;
}
