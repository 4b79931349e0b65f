/** What is printed of a part, and written to the file. */
export type Figures = Record<string, number>;

export const median = (values: number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The ratios of the rounds: the middle one and how far they reach. */
export const ratioFigures = (ratios: number[]): Figures => ({
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
});
