import { shown, type Shown } from './amounts.ts';
import { jsonAmount, type Micros } from '../../src/money.ts';

import type { EntryType } from './entry.ts';

/** What amounts are summed up by, besides the tenant; see `sum_up` of `credits.lua`. */
const KINDS = ['model', 'vm', 'tunnel', 'user', 'key'] as const;
export type ConsumerKind = (typeof KINDS)[number];

/** What is counted of a consumer besides. */
const COUNTS = ['calls', 'inputTokens', 'outputTokens', 'minutes', 'bytes'] as const;

const NAME = new RegExp(`^(${KINDS.join('|')}):(.+?)(?::(${COUNTS.join('|')}))?$`);

/** What something or somebody was charged for in some stretch of time. */
export interface Consumer extends Shown<'spent'>, Record<(typeof COUNTS)[number], number> {
    id: string;
}

/** The sum of the ledger's entries of a type: negative where it was taken. */
export interface TypeSum extends Shown<'amount'> {
    type: EntryType;
}

/** Those of a kind, the dearest first. */
export function consumersOf(sums: ReadonlyMap<string, bigint>, kind: ConsumerKind, most: number): Consumer[] {
    const found = new Map<string, Partial<Record<string, bigint>>>();
    for (const [name, sum] of sums) {
        const [, of, id, count = 'spent'] = NAME.exec(name) ?? [];
        if (of === kind && id !== undefined) found.set(id, { ...found.get(id), [count]: sum });
    }
    const all = [...found].map(([id, { spent = 0n, ...counts }]) => ({ id, spent, counts }));
    return all
        .toSorted((a, b) => compare(b.spent, a.spent) || (a.id < b.id ? -1 : 1))
        .slice(0, most)
        .map(({ id, spent, counts }) => ({
            id,
            ...shown('spent', spent),
            ...(Object.fromEntries(COUNTS.map((name) => [name, jsonAmount(counts[name] ?? 0n)])) as Record<
                (typeof COUNTS)[number],
                number
            >),
        }));
}

const compare = (a: Micros, b: Micros): number => (a < b ? -1 : a > b ? 1 : 0);

/** The sum of the entries of each type, in the order that types are known by. */
export const typeSums = (sums: ReadonlyMap<string, bigint>, types: readonly EntryType[]): TypeSum[] =>
    types.flatMap((type) => {
        const sum = sums.get(`type:${type}`);
        return sum === undefined ? [] : [{ type, ...shown('amount', sum) }];
    });
