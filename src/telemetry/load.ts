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
    return {
        measure: () => {
            const { mean } = histogram;
            histogram.reset();
            // The mean is NaN as long as nothing was recorded; what is recorded includes the resolution.
            const delayMs = Number.isNaN(mean) ? 0 : Math.max(0, mean / 1e6 - RESOLUTION_MS);
            return { delayMs, rssMb: process.memoryUsage.rss() / MIB };
        },
        stop: () => void histogram.disable(),
    };
}
