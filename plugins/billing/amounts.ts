import { decimal, decimalSchema, jsonAmount, microsSchema, type Micros } from '../../src/money.ts';

import type Joi from 'joi';

/** An amount as answers show it: in micro-dollars, and in dollars to be read by people. */
export type Shown<Name extends string> = Record<`${Name}Micros`, number> & Record<Name, string>;

export const shown = <Name extends string>(name: Name, amount: Micros): Shown<Name> =>
    ({ [`${name}Micros`]: jsonAmount(amount), [name]: decimal(amount) }) as Shown<Name>;

/** The schema's keys of such an amount. */
export const shownKeys = (name: string): Record<string, Joi.Schema> => ({
    [`${name}Micros`]: microsSchema(),
    [name]: decimalSchema(),
});
