import { catalogue, type ErrorCode } from '../../src/http/errors.ts';

import type { EndedCall } from './api.ts';

/** What a model was used for in some stretch of time. */
export interface Figures {
    calls: number;
    errors: number;
    errorsByCategory: Record<string, number>;
    cancelled: number;
    inputFresh: number;
    cacheRead: number;
    cacheWrite: number;
    output: number;
    reasoning: number;
    /** Calls whose tokens no provider told. */
    estimatedCalls: number;
    averageDurationMs: number | null;
    averageTimeToFirstTokenMs: number | null;
}

/** Sums by what was counted. */
export type Sums = Map<string, number>;

const ERRORS_OF = 'errors.';

/** The sums that a call adds to those of its model: what, amount, …; those of zero are left out. */
export function amountsOf({ outcome, errorCode, usage, ...times }: EndedCall): [what: string, amount: number][] {
    const { durationMs, timeToFirstTokenMs } = times;
    const hasFailed = outcome === 'failed' || outcome === 'interrupted';
    // What was refused used nothing.
    const used = outcome === 'failed' && timeToFirstTokenMs === null ? null : usage;
    const { isEstimated = false, ...tokens } = used ?? {};
    const all: [string, number][] = [
        ['calls', 1],
        ['errors', Number(hasFailed)],
        [ERRORS_OF + categoryOf(errorCode), Number(hasFailed)],
        ['cancelled', Number(outcome === 'cancelled')],
        ...Object.entries(tokens),
        ['estimatedCalls', Number(isEstimated)],
        ['durationMs', durationMs ?? 0],
        ['durations', Number(durationMs !== null)],
        ['firstTokenMs', timeToFirstTokenMs ?? 0],
        ['firstTokens', Number(timeToFirstTokenMs !== null)],
    ];
    // A clock that was set back must not take anything away.
    return all.map(([what, amount]): [string, number] => [what, Math.round(amount)]).filter(([, amount]) => amount > 0);
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(catalogue, code);

const categoryOf = (code: string | null): string =>
    catalogue[code !== null && isCode(code) ? code : 'INTERNAL_ERROR'].category;

/** The figures that such sums come to. */
export function figuresOf(sums: Sums): Figures {
    const sum = (what: string) => sums.get(what) ?? 0;
    const average = (whole: string, parts: string) => (sum(parts) === 0 ? null : Math.round(sum(whole) / sum(parts)));
    const categories = [...sums].filter(([what]) => what.startsWith(ERRORS_OF));
    return {
        calls: sum('calls'),
        errors: sum('errors'),
        errorsByCategory: Object.fromEntries(categories.map(([what, count]) => [what.slice(ERRORS_OF.length), count])),
        cancelled: sum('cancelled'),
        inputFresh: sum('inputFresh'),
        cacheRead: sum('cacheRead'),
        cacheWrite: sum('cacheWrite'),
        output: sum('output'),
        reasoning: sum('reasoning'),
        estimatedCalls: sum('estimatedCalls'),
        averageDurationMs: average('durationMs', 'durations'),
        averageTimeToFirstTokenMs: average('firstTokenMs', 'firstTokens'),
    };
}

/** The sums of several. */
export function total(many: Iterable<Sums>): Sums {
    const whole: Sums = new Map();
    for (const sums of many) for (const [what, amount] of sums) whole.set(what, (whole.get(what) ?? 0) + amount);
    return whole;
}
