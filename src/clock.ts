/** Milliseconds since the epoch; a test passes its own. */
export type Clock = () => number;
