const FIRST_MS = 100;
const MOST_MS = 15_000;

/**
 * How long to wait before another try: anything up to a bound that doubles from 100 ms to 15 s, so that a thousand
 * agents that lost one server do not come back at once (full jitter).
 *
 * @param failures How many tries have failed in a row, from 0
 * @param random From 0 to below 1
 */
export const reconnectDelay = (failures: number, random: () => number = Math.random): number =>
    random() * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 20));
