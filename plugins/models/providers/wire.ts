/** What came over the wire is whatever the other side sent: these read it without believing it. */

import type { Usage } from '../api.ts';

/** @throws {Error} That does not repeat the text, which may be a user's */
export function parseObject(text: string): object {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        value = null;
    }
    if (typeof value !== 'object' || value === null) throw new Error('The provider sent what is not a JSON object');
    return value;
}

/** A text with something in it. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Whether a value can be a number of tokens. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export const countOf = (value: unknown): number => (isCount(value) ? value : 0);

/** An array, or nothing to go through. */
export const listOf = <Item>(value: Item[] | null | undefined): Item[] => (Array.isArray(value) ? value : []);

/** Counts as a provider gives them. */
export type ToldCounts = Partial<Record<'input' | 'cacheRead' | 'cacheWrite' | 'output' | 'reasoning', unknown>>;

/** The usage from counts that have the cached tokens among the input's. */
export function disjointUsage({ input, ...told }: ToldCounts): Usage {
    const [cacheRead, cacheWrite] = [countOf(told.cacheRead), countOf(told.cacheWrite)];
    return {
        inputFresh: Math.max(0, countOf(input) - cacheRead - cacheWrite),
        cacheRead,
        cacheWrite,
        output: countOf(told.output),
        reasoning: countOf(told.reasoning),
        isEstimated: false,
    };
}
