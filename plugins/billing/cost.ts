import type { Micros } from '../../src/money.ts';
import type { ModelPrice, TokenPrices, Usage } from '../models/api.ts';

/** What a call has cost. */
export interface Cost {
    micros: Micros;
    /** Tokens were counted from the text, or a price that nobody told us was taken from another. */
    isEstimated: boolean;
}

type Bucket = 'inputFresh' | 'cacheRead' | 'cacheWrite' | 'output';

/** Whose price each kind of token has. */
const PRICE_OF = {
    inputFresh: 'input',
    cacheRead: 'cacheRead',
    cacheWrite: 'cacheWrite5m',
    output: 'output',
} as const satisfies Record<Bucket, keyof TokenPrices>;
const BUCKETS = Object.keys(PRICE_OF) as Bucket[];

/** A micro-dollar per million tokens is a pico-dollar per token. */
const PICOS_PER_MICRO = 1_000_000n;

/** A price in pico-dollars, in whole micro-dollars: rounded up, once for all that is charged together. */
const roundUp = (picos: bigint): Micros => (picos + PICOS_PER_MICRO - 1n) / PICOS_PER_MICRO;

/** The table that a call with so many input tokens goes by. */
export const tableFor = ({ microsPerMillion, aboveInputTokens }: ModelPrice, inputTokens: number): TokenPrices =>
    aboveInputTokens && inputTokens > aboveInputTokens.tokens ? aboveInputTokens.microsPerMillion : microsPerMillion;

/** Whether nothing costs anything, however much of it there is. */
export const isFree = ({ microsPerMillion, aboveInputTokens }: ModelPrice): boolean =>
    [microsPerMillion, aboveInputTokens?.microsPerMillion ?? {}].every((table) =>
        Object.values(table).every((perMillion) => perMillion === 0),
    );

/** A count of tokens: a provider may tell anything. */
const count = (tokens: number): bigint => BigInt(Math.min(Math.max(0, Math.ceil(tokens)), Number.MAX_SAFE_INTEGER));

/** What a call costs that used so much. Tokens of a kind without a price of its own are charged as input. */
export function costOf(price: ModelPrice, usage: Omit<Usage, 'reasoning'>): Cost {
    const { inputFresh, cacheRead, cacheWrite } = usage;
    const table = tableFor(price, inputFresh + cacheRead + cacheWrite);
    let picos = 0n;
    let { isEstimated } = usage;
    for (const bucket of BUCKETS) {
        const perMillion = table[PRICE_OF[bucket]] ?? null;
        if (perMillion === null && usage[bucket] > 0) isEstimated = true;
        picos += count(usage[bucket]) * BigInt(perMillion ?? table.input ?? 0);
    }
    return { micros: roundUp(picos), isEstimated };
}

/** How many output tokens can be paid beside so many input tokens; null when output costs nothing. */
export function payableOutput(price: ModelPrice, inputTokens: number, amount: Micros): number | null {
    const { input, output } = tableFor(price, inputTokens);
    if (!output) return null;
    const left = amount * PICOS_PER_MICRO - count(inputTokens) * BigInt(input ?? 0);
    return left <= 0n ? 0 : Number(left / BigInt(output));
}
