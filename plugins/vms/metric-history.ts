import { ofEachFigure, type Figure } from './figures.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { DriverMetrics } from './drivers/driver.ts';

export interface Statistics {
    average: number;
    min: number;
    max: number;
}

export type Trend = 'up' | 'down' | 'stable';

/** The samples of an interval; null for a figure that none of them has. */
export interface Bucket extends Record<Figure, Statistics | null> {
    /** When the interval begins, in ISO-8601. */
    at: string;
    /** How many samples there are, at least one. */
    points: number;
}

/**
 * Samples by intervals, the oldest first; those without a sample are left out. Intervals begin at multiples of their
 * length.
 */
export function bucketsOf(samples: DriverMetrics[], intervalMs: number): Bucket[] {
    const byStart = new Map<number, DriverMetrics[]>();
    for (const sample of samples) {
        const start = Math.floor(sample.at / intervalMs) * intervalMs;
        const found = byStart.get(start);
        if (found) found.push(sample);
        else byStart.set(start, [sample]);
    }
    return [...byStart].map(([start, found]) => ({
        at: isoTime(start),
        points: found.length,
        ...ofEachFigure((figure) => statisticsOf(valuesOf(found, figure))),
    }));
}

/** Of each figure, whether it rose, fell or did neither; null where fewer than two samples have it. */
export const trendsOf = (samples: DriverMetrics[]): Record<Figure, Trend | null> =>
    ofEachFigure((figure) => trendOf(valuesOf(samples, figure)));

const valuesOf = (samples: DriverMetrics[], figure: Figure): number[] =>
    samples.flatMap((sample) => sample[figure] ?? []);

const averageOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function statisticsOf(values: number[]): Statistics | null {
    if (values.length === 0) return null;
    const average = Math.round(averageOf(values) * 100) / 100;
    return { average, min: Math.min(...values), max: Math.max(...values) };
}

/** The second half against the first, a change of up to a tenth being none; the one in the middle belongs to neither. */
function trendOf(values: number[]): Trend | null {
    const half = Math.floor(values.length / 2);
    if (half === 0) return null;
    const before = averageOf(values.slice(0, half));
    const change = averageOf(values.slice(-half)) - before;
    if (10 * Math.abs(change) <= before) return 'stable';
    return change > 0 ? 'up' : 'down';
}
