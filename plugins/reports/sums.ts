import { jsonAmount } from '../../src/money.ts';

import type { Sums } from './figures.ts';

/** A sum as JSON has it; 0 for what was never summed up. */
export const sumOf = (sums: Sums | undefined, name: string): number => jsonAmount(sums?.get(name) ?? 0n);

/** The sums whose names begin so, by the rest of their names. */
export const sumsBelow = (sums: Sums | undefined, prefix: string): [name: string, sum: number][] =>
    [...(sums ?? [])]
        .filter(([name, sum]) => name.startsWith(prefix) && sum !== 0n)
        .map(([name, sum]) => [name.slice(prefix.length), jsonAmount(sum)]);

/** The largest first; of equals, by name. */
export const largestFirst = ([a, m]: [string, number], [b, n]: [string, number]): number => n - m || (a < b ? -1 : 1);
