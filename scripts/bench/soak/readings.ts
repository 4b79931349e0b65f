import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';
import type { Contestant } from '../contestant.ts';

/** How things are at a moment. */
export interface Reading {
    rss: number;
    heap: number;
    /** What buffers and the like take beside the heap. */
    external: number;
    /** Milliseconds that 99 of 100 turns of the event loop were late at most. */
    lag: number;
    /** Sockets and timers that keep the process, by Node's own account. */
    resources: number;
    files: number;
    redisBytes: number;
    redisKeys: number;
}

const NAMES = {
    rss: 'process_resident_memory_bytes',
    heap: 'nodejs_heap_size_used_bytes',
    external: 'nodejs_external_memory_bytes',
    resources: 'nodejs_active_resources_total',
};

export async function read({ url, openFiles }: Contestant, redis: Redis): Promise<Reading> {
    const text = await (await fetch(`${url}/metrics`)).text();
    const valueOf = (name: string): number => Number(new RegExp(`^${name}(?:\\{\\})? (\\S+)$`, 'm').exec(text)?.[1]);
    const [memory, redisKeys] = await Promise.all([redis.info('memory'), redis.dbsize()]);
    return {
        rss: valueOf(NAMES.rss),
        heap: valueOf(NAMES.heap),
        external: valueOf(NAMES.external),
        lag: 1_000 * valueOf('nodejs_eventloop_lag_p99_seconds'),
        resources: valueOf(NAMES.resources),
        files: openFiles() ?? NaN,
        redisBytes: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]),
        redisKeys,
    };
}

/** Reads each `everyMs` until it is told to stop, and gives what was read. */
export function keepReading(take: () => Promise<Reading>, everyMs: number): () => Promise<Reading[]> {
    const stopping = new AbortController();
    const readings: Reading[] = [];
    const reading = (async () => {
        while (!stopping.signal.aborted) {
            readings.push(await take());
            await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
        return readings;
    })();
    return () => {
        stopping.abort();
        return reading;
    };
}

/**
 * A figure in the first and in the last part of what was read, as `level` sees it: the smallest is what is left when
 * garbage was collected, the median is what there is most of the time.
 */
export function firstAndLast(
    readings: Reading[],
    figure: keyof Reading,
    { parts, level }: { parts: number; level: (values: number[]) => number },
): [first: number, last: number] {
    const length = Math.max(1, Math.floor(readings.length / parts));
    const values = readings.map((reading) => reading[figure]);
    return [level(values.slice(0, length)), level(values.slice(-length))];
}
