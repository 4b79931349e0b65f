import type { DriverMetrics } from './drivers/driver.ts';

/** The figures of a VM's metrics. */
export const FIGURES = [
    'cpuPercent',
    'memoryPercent',
    'diskPercent',
    'networkInBytesPerSecond',
    'networkOutBytesPerSecond',
] as const satisfies (keyof DriverMetrics)[];

export type Figure = (typeof FIGURES)[number];

/** Something of each figure. */
export const ofEachFigure = <T>(make: (figure: Figure) => T): Record<Figure, T> =>
    Object.fromEntries(FIGURES.map((figure) => [figure, make(figure)])) as Record<Figure, T>;
