import Joi from 'joi';

/** An amount of money in whole micro-dollars; 1 credit is 1 US dollar is 1,000,000. No float touches it. */
export type Micros = bigint;

const MICROS_PER_DOLLAR = 1_000_000n;
const FRACTION_DIGITS = 6;
/** JSON and Lua keep whole numbers up to this one. */
export const MOST_MICROS: Micros = BigInt(Number.MAX_SAFE_INTEGER);

export const dollars = (whole: number): Micros => BigInt(whole) * MICROS_PER_DOLLAR;

/** An amount for JSON. @throws {RangeError} Past 2^53 - 1, where a number would lose digits */
export function jsonAmount(amount: Micros): number {
    if (amount > MOST_MICROS || amount < -MOST_MICROS) throw new RangeError('The amount is too large for JSON');
    return Number(amount);
}

/** Dollars with six decimals: 50000n is `0.050000`. */
export function decimal(amount: Micros): string {
    const digits = (amount < 0n ? -amount : amount).toString().padStart(FRACTION_DIGITS + 1, '0');
    const sign = amount < 0n ? '-' : '';
    return `${sign}${digits.slice(0, -FRACTION_DIGITS)}.${digits.slice(-FRACTION_DIGITS)}`;
}

/** An amount as JSON has it: a whole number of micro-dollars that no digit of is lost. */
export const microsSchema = (): Joi.NumberSchema => Joi.number().integer().example(50_000);

/** The same amount in dollars, to be read by people. */
export const decimalSchema = (): Joi.StringSchema =>
    Joi.string()
        .pattern(/^-?\d+\.\d{6}$/, 'dollars')
        .example('0.050000');
