import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How busy the process is. */
export interface Load {
    /** By how much the event loop was late, on the average since the last look. */
    delayMs: number;
    /** Resident memory in MiB. */
    rssMb: number;
}

const RESOLUTION_MS = 20;
const MIB = 1_048_576;

/** Measures the load of this process; `stop` ends it. */
export function processLoad(): { measure: () => Load; stop: () => void } {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    let seen = { count: 0, sum: 0 };
    return {
        measure: () => {
            // Not by `reset`, which forgets the delay that is just going on: a loop that is late by more than the time
            // between two looks would never be noticed.
            const { count, mean } = histogram;
            const sum = count === 0 ? 0 : mean * count;
            const fresh = { count: count - seen.count, sum: sum - seen.sum };
            seen = { count, sum };
            // What is recorded includes the resolution.
            const delayMs = fresh.count === 0 ? 0 : Math.max(0, fresh.sum / fresh.count / 1e6 - RESOLUTION_MS);
            return { delayMs, rssMb: process.memoryUsage.rss() / MIB };
        },
        stop: () => void histogram.disable(),
    };
}
